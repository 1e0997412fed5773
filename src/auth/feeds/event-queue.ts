import { limits } from '#kernel/limits.ts';
import type { SseEvent } from '#outbound/sse-reader.ts';
import type { EventReceiver } from './event-receiver.ts';
import { isPassing } from './refusal.ts';

/** What one connection has brought and is still to be acted upon, in order, many at a time. */
export interface EventQueue {
  /** False: it is full, and takes no more. */
  take(event: SseEvent): boolean;
  isIdle(): boolean;
  /** Resolves when it is worked off. False: it broke off at something that must be delivered again. */
  finish(): Promise<boolean>;
}

export function createEventQueue(deps: {
  readonly receiver: EventReceiver;
  readonly signal: AbortSignal;
  /** Everything up to the event with this id is acted upon. */
  readonly onDone: (id: string | undefined) => void;
  readonly onIdle: () => void;
  readonly onBroken: () => void;
}): EventQueue {
  const { receiver, signal, onDone, onIdle, onBroken } = deps;
  const waiting: SseEvent[] = [];
  let working: Promise<void> | undefined;
  let isSound = true;

  async function work(): Promise<void> {
    while (waiting.length > 0 && isSound && !signal.aborted) {
      const batch = waiting.slice(0, limits.feedBatch);
      const outcomes = await receiver.receive(batch.map(({ data }) => data));
      const failedAt = outcomes.findIndex((outcome) => !outcome.ok && isPassing(outcome.error));
      const done = failedAt === -1 ? batch.length : failedAt;
      if (done > 0) onDone(batch[done - 1]?.id);
      waiting.splice(0, done);
      isSound = failedAt === -1;
    }
    working = undefined;
    if (isSound) onIdle();
    else onBroken();
  }

  return {
    take(event) {
      if (waiting.length >= limits.maxQueuedEvents) return false;
      waiting.push(event);
      if (isSound) working ??= work();
      return true;
    },
    isIdle: () => working === undefined && isSound,
    async finish() {
      await working;
      return isSound;
    },
  };
}
