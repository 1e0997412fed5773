import type { AuditPort } from '#audit/record.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Era } from '#wire/protocol.ts';
import { newFacts } from './call.ts';
import { readTrace, traceIdOf } from './trace.ts';
import type { Visit } from './visit.ts';

/** What is known of a request that no method handler runs for: `initialize`, a stream, one refused at its envelope or session. */
export interface BriefFacts {
  readonly era: Era;
  readonly method: string;
  readonly params: JsonObject;
  readonly agent?: string | undefined;
  /** The refusal's reason; `ok` where there is none. */
  readonly code: string;
  readonly requestBytes: number;
  readonly responseBytes?: number;
}

/** Writes the one audit record of such a request. */
export function recordBriefly(
  audit: AuditPort,
  { principal, request }: Visit,
  facts: BriefFacts,
): boolean | Promise<boolean> {
  const { era, method, params, agent, code, requestBytes, responseBytes = 0 } = facts;
  return audit.record({
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
  });
}
