import { createMcpBackend, type McpBackendDeps, type McpBackendOptions } from '#adapter/mcp-backend.ts';
import type { CallContext, IdentityResolver, PeerAnswer, PeerQuestion } from '#backends/backend.ts';
import { type Clock, systemClock } from '#kernel/clock.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { type Principal, principalKey } from '#kernel/principal.ts';
import { err, ok } from '#kernel/result.ts';
import { createSocketOutbound } from '#outbound/socket-outbound.ts';
import { backendId } from '../backends/backend-id.ts';
import { principal } from '../contract/principal.ts';

/** A user called `subject`, who holds the scope that the server's tools need. */
export function user(subject: string): Principal {
  const issuer = 'https://issuer.example';
  return principal({ subject, key: principalKey(issuer, subject), tokenScopes: ['mcp:srv'] });
}

export const ada = user('ada');
export const bob = user('bob');

/** What each principal's linked account's token is; none: not linked. */
export interface Accounts {
  readonly tokens: Map<string, string>;
  /** After a 401: the token from now on. */
  readonly fresh: Map<string, string>;
  readonly insufficient: { readonly subject: string; readonly scopes: readonly string[] }[];
  rejections: number;
}

export function accounts(tokens: Readonly<Record<string, string>> = {}): Accounts {
  return { tokens: new Map(Object.entries(tokens)), fresh: new Map(), insufficient: [], rejections: 0 };
}

function resolverOf(held: Accounts): IdentityResolver {
  const resolve = (subject: string) => {
    const token = held.tokens.get(subject);
    if (token === undefined) return err({ reason: 'link_required' as const, message: 'Link your account.' });
    return ok({ mode: 'linked' as const, headers: { Authorization: `Bearer ${token}` } });
  };
  return {
    resolve({ subject }, { mode }) {
      if (mode === 'none') return ok({ mode, headers: {} });
      if (mode === 'static') return ok({ mode, headers: { Authorization: 'Bearer operator-secret' } });
      return resolve(subject);
    },
    async rejected({ subject }) {
      held.rejections++;
      const fresh = held.fresh.get(subject);
      if (fresh === undefined) return err({ reason: 'link_required', message: 'Link your account again.' });
      held.tokens.set(subject, fresh);
      return resolve(subject);
    },
    insufficient({ subject }, _target, scopes) {
      held.insufficient.push({ subject, scopes });
      return held.insufficient.length === 1;
    },
  };
}

/** A native server as the gateway builds it, over real connections; closes what it opened. */
export function connect(
  url: string,
  changes: Partial<McpBackendOptions> = {},
  held: Accounts = accounts({ ada: 'token-of-ada', bob: 'token-of-bob' }),
  deps: {
    readonly clock?: Clock;
    readonly log?: Log;
    readonly isDenied?: McpBackendDeps['isDenied'];
  } = {},
) {
  const outbound = createSocketOutbound();
  const told: string[] = [];
  const backend = createMcpBackend(
    {
      id: backendId('srv'),
      transport: { kind: 'http', url },
      mode: 'linked',
      scopes: { default: ['mcp:srv'], tools: new Map() },
      list: 'private',
      catalogOwner: undefined,
      uris: 'rewrite',
      timeoutMs: 3_000,
      pollTimeoutMs: 2_000,
      pollIntervalMs: 60_000,
      maxResultBytes: 1_000_000,
      maxConnections: 16,
      idleMs: 600_000,
      maxParked: 8,
      maxParkedPerPrincipal: 2,
      clientInfo: { name: 'cortex-gateway', version: '0.0.0' },
      ...changes,
    },
    {
      outbound,
      identity: resolverOf(held),
      ...(deps.isDenied && { isDenied: deps.isDenied }),
      clock: deps.clock ?? systemClock,
      random: () => 0.5,
      log: deps.log ?? silentLog,
      events: {
        catalogChanged: () => void told.push('catalog'),
        personalChanged: (_id, key) => void told.push(`personal ${key}`),
        resourceUpdated: (_id, uri, key) => void told.push(`updated ${uri} ${key ?? 'everyone'}`),
      },
    },
  );
  return {
    backend,
    /** What the backend told by itself, in order. */
    told,
    async [Symbol.asyncDispose]() {
      await backend.close();
      await outbound.close();
    },
  };
}

/** What comes along with a call of Ada's, changed as the test needs it. */
export function context(changes: Partial<CallContext> = {}): CallContext {
  return {
    principal: ada,
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

/** A call of a tool, as the edge makes it. */
export function tool(name: string, args: Readonly<Record<string, string | number | boolean>> = {}) {
  return { name, arguments: args, hasOutputSchema: false, isRepeatable: false };
}

/** Answers every question with the same, and remembers what was asked. */
export function answering(result: PeerAnswer['result']) {
  const questions: PeerQuestion[] = [];
  const ask = async (question: PeerQuestion): Promise<PeerAnswer> => {
    questions.push(question);
    return { result, error: undefined };
  };
  return { questions, ask };
}

/** Waits until something is so; the test's own time-out ends it otherwise. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(5);
}
