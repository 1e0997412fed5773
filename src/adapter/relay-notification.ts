import type { CallContext } from '#backends/backend.ts';
import { stringAt } from '#kernel/json.ts';
import type { PeerNotification } from './inbox.ts';

/** Tells the caller what a server said during the call, where the caller can hear it. */
export function relayNotification({ method, params }: PeerNotification, context: CallContext): void {
  if (method === 'notifications/progress') {
    const { progress, total } = params;
    if (typeof progress !== 'number') return;
    context.onProgress?.({
      progress,
      total: typeof total === 'number' ? total : undefined,
      message: stringAt(params, 'message'),
    });
    return;
  }
  const level = stringAt(params, 'level');
  if (method !== 'notifications/message' || level === undefined || params.data === undefined) return;
  context.onLog?.({ level, logger: stringAt(params, 'logger'), data: params.data });
}
