import type { CallFacts } from '#audit/record.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Era } from '#wire/protocol.ts';
import { newFacts } from './call.ts';
import { readTrace, traceIdOf } from './trace.ts';

/** The audit facts of a request that no method handler ran for: `initialize`, a stream, one refused at its envelope or session. */
export function briefFacts(request: {
  readonly principal: Principal;
  readonly headers: Headers;
  readonly era: Era;
  readonly method: string;
  readonly params: JsonObject;
  readonly agent?: string | undefined;
  /** The refusal's reason; `ok` where there is none. */
  readonly code: string;
  readonly requestBytes: number;
  readonly responseBytes?: number;
}): CallFacts {
  const { principal, era, method, params, agent, code, requestBytes, responseBytes = 0 } = request;
  return {
    ...newFacts(),
    principal,
    era,
    method: method.slice(0, 128),
    agent,
    tool: typeof params.name === 'string' ? params.name.slice(0, 128) : undefined,
    outcome: code === 'ok' ? 'ok' : 'refused',
    code,
    latencyMs: 0,
    requestBytes,
    responseBytes,
    traceId: traceIdOf(readTrace(request.headers, params)),
    isReadOnly: true,
  };
}
