import { err } from '#kernel/result.ts';
import { isLogLevel } from '#wire/protocol.ts';
import { complete, type McpCall, type MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';

/** logging/setLevel of the legacy era: kept with the session. */
export async function setLevel(deps: EdgeDeps, call: McpCall): Promise<MethodReply> {
  const { level } = call.params;
  if (!isLogLevel(level)) return err({ reason: 'params_invalid', detail: 'level is not a log level' });
  if (call.session === undefined) return err({ reason: 'session_required' });
  await deps.sessionStates.setLogLevel(call.session, level);
  return complete('');
}
