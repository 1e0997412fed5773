import type { BackendFailure } from '#backends/backend.ts';
import { isJsonObject, parseJson } from '#kernel/json.ts';
import { err, ok } from '#kernel/result.ts';
import type { McpCall, MethodReply } from './call.ts';
import type { EdgeDeps } from './deps.ts';
import type { Interaction } from './interactive.ts';
import { plainLinkReply } from './methods/link.ts';
import { refuseHidden } from './missing-scope.ts';
import type { Refusal } from './refusal.ts';
import { foreignMeta, noteExchange } from './tool-result.ts';

/** A failed prompts/get or resources/read: these results have no `isError`, so it is a JSON-RPC error. */
function failureRefusal(deps: EdgeDeps, call: McpCall, failure: BackendFailure, unknown: Refusal): Refusal {
  call.facts.outcome = 'error';
  call.facts.code = failure.reason;
  if (failure.reason === 'invalid' && failure.status === 404) return unknown;
  if (failure.reason === 'invalid') return { reason: 'params_invalid', detail: failure.message };
  if (failure.reason === 'scope_missing' && failure.requiredScopes !== undefined) {
    const scopes = [...new Set([...(call.facts.scopes ?? []), ...failure.requiredScopes])];
    return refuseHidden(deps, call, scopes, { reason: 'backend_failed', message: failure.message });
  }
  return { reason: 'backend_failed', message: failure.message };
}

/** The answer of prompts/get and resources/read; `required` is the array that the result must hold. */
export function plainReply(
  deps: EdgeDeps,
  call: McpCall,
  done: Interaction,
  required: 'messages' | 'contents',
  unknown: Refusal,
): MethodReply {
  if (done.exchange !== undefined) noteExchange(call.facts, done.exchange);
  switch (done.kind) {
    case 'refused':
      return err(done.refusal);
    case 'ask':
      call.facts.outcome = 'input_required';
      return ok(done.body);
    case 'bad_question':
      call.facts.outcome = 'error';
      call.facts.code = 'question_refused';
      return err({ reason: 'backend_failed', message: `The application cannot finish: ${done.message}` });
    case 'unlinked':
      return plainLinkReply(call.facts, done.link);
    case 'exchange': {
      const { outcome } = done.exchange;
      if (!outcome.ok) return err(failureRefusal(deps, call, outcome.error, unknown));
      const parsed = outcome.value.kind === 'input_required' ? undefined : parseJson(outcome.value.text);
      if (!parsed?.ok || !isJsonObject(parsed.value) || !Array.isArray(parsed.value[required])) {
        call.facts.outcome = 'error';
        call.facts.code = 'result_malformed';
        return err({ reason: 'backend_failed', message: `The application answered without ${required}` });
      }
      const { resultType: _type, ttlMs: _ttl, cacheScope: _scope, _meta, ...members } = parsed.value;
      return ok({
        members: JSON.stringify(members).slice(1, -1),
        meta: foreignMeta(_meta),
        resultType: 'complete',
      });
    }
  }
}
