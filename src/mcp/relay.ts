import type { CallContext, LogEvent, ProgressEvent } from '#backends/backend.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { isRpcId, notificationText } from '#wire/json-rpc.ts';
import { passesLevel } from '#wire/protocol.ts';
import type { McpCall } from './call.ts';

/** The client's progress token, if it sent a valid one: it is bounded as ids are. */
function progressTokenOf(params: JsonObject): string | number | undefined {
  const meta = params._meta;
  if (!isJsonObject(meta)) return undefined;
  const token = meta.progressToken;
  return isRpcId(token) ? token : undefined;
}

/** Relays a backend's progress under the client's own token; values that do not grow are dropped (R26). */
function relayProgress(call: McpCall): ((event: ProgressEvent) => void) | undefined {
  const progressToken = progressTokenOf(call.params);
  if (progressToken === undefined || !call.reply.canStream) return undefined;
  let last = Number.NEGATIVE_INFINITY;
  return (event) => {
    if (event.progress <= last) return;
    last = event.progress;
    const { progress, total, message } = event;
    call.reply.send(notificationText('notifications/progress', { progressToken, progress, total, message }));
  };
}

function relayLog(call: McpCall): ((event: LogEvent) => void) | undefined {
  const threshold = call.client.logLevel;
  if (threshold === undefined || !call.reply.canStream) return undefined;
  return ({ level, logger, data }) => {
    if (!passesLevel(level, threshold)) return;
    call.reply.send(notificationText('notifications/message', { level, logger, data }));
  };
}

/** What every call to a backend carries along. */
export function callContext(
  call: McpCall,
  retry: { readonly inputResponses: JsonObject | undefined; readonly requestState: string | undefined },
  ask?: CallContext['ask'],
): CallContext {
  return {
    principal: call.principal,
    signal: call.signal,
    timeoutMs: undefined,
    trace: call.trace,
    idempotencyKey: crypto.randomUUID(),
    onProgress: relayProgress(call),
    onLog: relayLog(call),
    logLevel: call.client.logLevel,
    inputResponses: retry.inputResponses,
    requestState: retry.requestState,
    clientCapabilities: call.client.capabilities,
    ask,
    path: call.path,
  };
}

export const noRetry = { inputResponses: undefined, requestState: undefined } as const;
