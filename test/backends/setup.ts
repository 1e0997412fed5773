import type { CallContext, ToolCall } from '#backends/backend.ts';
import { createHttpBackend, type HttpBackendOptions } from '#backends/http-backend.ts';
import { propagate } from '#identity/propagate.ts';
import { createIdentityResolver } from '#identity/resolver.ts';
import { type Clock, systemClock } from '#kernel/clock.ts';
import { Secret } from '#kernel/secret.ts';
import { createSocketOutbound } from '#outbound/socket-outbound.ts';
import { principal } from '../contract/principal.ts';
import { backendId } from './backend-id.ts';

/** A backend as the gateway builds it, over real connections; closes what it opened. */
export function connect(url: string, changes: Partial<HttpBackendOptions> = {}, clock: Clock = systemClock) {
  const outbound = createSocketOutbound();
  const identity = createIdentityResolver({
    propagate: propagate({
      firstParty: () => ({ allowHttp: false, audience: undefined, tokenAudience: 'urn:docs' }),
      isForGateway: (_issuer, audiences) => audiences.includes('https://gateway.example/mcp'),
    }),
  });
  const backend = createHttpBackend(
    {
      id: backendId('docs'),
      url,
      technicalToken: new Secret('technical-token'),
      mode: 'propagate',
      timeoutMs: 2_000,
      maxResultBytes: 100_000,
      maxConnections: 16,
      tickets: true,
      userAgent: 'cortex-gateway/0.0.0',
      ...changes,
    },
    { outbound, identity, clock, random: () => 1 },
  );
  return {
    backend,
    async [Symbol.asyncDispose]() {
      await backend.close();
      await outbound.close();
    },
  };
}

/** What comes along with a call, changed as the test needs it. */
export function context(changes: Partial<CallContext> = {}): CallContext {
  return {
    principal: principal(),
    signal: new AbortController().signal,
    timeoutMs: undefined,
    trace: {},
    idempotencyKey: 'key-1',
    onProgress: undefined,
    onLog: undefined,
    logLevel: undefined,
    inputResponses: undefined,
    requestState: undefined,
    clientCapabilities: {},
    ask: undefined,
    ...changes,
  };
}

/** A call of the tool `search`, changed as the test needs it. */
export function search(changes: Partial<ToolCall> = {}): ToolCall {
  return { name: 'search', arguments: { q: 'x' }, hasOutputSchema: false, isRepeatable: false, ...changes };
}
