import type { JsonObject } from '#kernel/json.ts';
import type { CallFacts } from './record.ts';

const maxTextLength = 128;
const maxScopes = 50;
const maxBackends = 500;

/**
 * The fields of a `call` record, in their order. Texts that a client chose are cut, so that a line stays below
 * `limits.maxAuditLineBytes`; what names a person or holds parameters comes as its keyed hash.
 */
export function callFields(
  facts: CallFacts,
  user: string | undefined,
  params: string | undefined,
): JsonObject {
  return {
    plan: cut(facts.principal?.plan),
    list_bytes: facts.listBytes,
    backends: facts.backends.length > maxBackends ? facts.backends.slice(0, maxBackends) : facts.backends,
    user,
    caller: facts.principal?.kind,
    client: cut(facts.principal?.clientId),
    agent: cut(facts.agent),
    method: cut(facts.method),
    tool: cut(facts.tool),
    backend: facts.backend,
    scopes: facts.scopes?.slice(0, maxScopes).map((scope) => cut(scope) ?? ''),
    mode: facts.mode,
    outcome: facts.outcome,
    code: cut(facts.code),
    ms: Math.round(facts.latencyMs * 100) / 100,
    request_bytes: facts.requestBytes,
    response_bytes: facts.responseBytes,
    params,
    trace: cut(facts.traceId),
    era: facts.era,
  };
}

function cut(text: string | undefined): string | undefined {
  return text === undefined || text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength - 1)}…`;
}
