import { uriScheme } from '#catalog/uri-scheme.ts';
import { err } from '#kernel/result.ts';
import { architectureUri } from '../builtins/architecture.ts';
import { complete, type McpCall, type MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';
import { resourceTarget } from '../resource-target.ts';

/** resources/subscribe of the legacy era: only what could be read. Updates come on the session's GET stream. */
export async function subscribe(deps: EdgeDeps, call: McpCall): Promise<MethodReply> {
  const { uri } = call.params;
  if (typeof uri !== 'string') return err({ reason: 'params_invalid', detail: 'uri must be a string' });
  if (call.session === undefined) return err({ reason: 'session_required' });
  call.facts.tool = uriScheme(uri);
  if (uri !== architectureUri) {
    const target = await resourceTarget(deps, call, uri);
    if (!target.ok) return target;
  }
  const isKept = await deps.sessionStates.subscribe(call.session, uri);
  return isKept
    ? complete('')
    : err({ reason: 'params_invalid', detail: 'too many subscriptions in this session' });
}

/** resources/unsubscribe of the legacy era; what was not subscribed is no error. */
export async function unsubscribe(deps: EdgeDeps, call: McpCall): Promise<MethodReply> {
  const { uri } = call.params;
  if (typeof uri !== 'string') return err({ reason: 'params_invalid', detail: 'uri must be a string' });
  if (call.session === undefined) return err({ reason: 'session_required' });
  await deps.sessionStates.unsubscribe(call.session, uri);
  return complete('');
}
