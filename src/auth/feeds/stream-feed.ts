import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { SseEvent } from '#outbound/sse-reader.ts';
import { backoffMs } from './backoff.ts';
import type { EventReceiver } from './event-receiver.ts';
import type { FeedPulse } from './feed-pulse.ts';
import { pause } from './pause.ts';
import { isPassing } from './refusal.ts';

/** What keeps a feed going; it begins when it is made. */
export interface RunningFeed {
  close(): Promise<void>;
}

export interface StreamFeedDeps {
  readonly issuer: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly outbound: Outbound;
  readonly receiver: EventReceiver;
  readonly pulse: FeedPulse;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly random: () => number;
  readonly log: Log;
}

/** Why a connection ended. `cut`: by us, so that what waits is worked off first. */
type Ending = 'ended' | 'failed' | 'cut';

/**
 * Reads an event stream of security event tokens for as long as it is open: any byte is a sign of life, silence ends the
 * connection, and the next one goes on after the last event that was acted upon.
 */
export function openStreamFeed(deps: StreamFeedDeps): RunningFeed {
  const { issuer, url, headers, outbound, receiver, pulse, schedule, random, log } = deps;
  const closed = new AbortController();
  let lastEventId: string | undefined;
  let retryMs: number | undefined;

  /** Works off what arrives, in order, many at a time. False: something must be delivered again. */
  function createWorker(giveUp: () => void) {
    const waiting: SseEvent[] = [];
    let working: Promise<void> | undefined;
    let isSound = true;
    async function work(): Promise<void> {
      while (waiting.length > 0 && isSound && !closed.signal.aborted) {
        const batch = waiting.slice(0, limits.feedBatch);
        const outcomes = await receiver.receive(batch.map(({ data }) => data));
        const failedAt = outcomes.findIndex((outcome) => !outcome.ok && isPassing(outcome.error));
        const done = failedAt === -1 ? batch.length : failedAt;
        lastEventId = batch[done - 1]?.id ?? lastEventId;
        waiting.splice(0, done);
        isSound = failedAt === -1;
      }
      working = undefined;
      if (!isSound) giveUp();
    }
    return {
      /** False: it takes no more. */
      take(event: SseEvent): boolean {
        if (waiting.length >= limits.maxQueuedEvents) return false;
        waiting.push(event);
        working ??= work();
        return true;
      },
      async finish(): Promise<boolean> {
        await working;
        return isSound;
      },
    };
  }

  async function connect(): Promise<Ending> {
    const attempt = new AbortController();
    const signal = AbortSignal.any([closed.signal, attempt.signal]);
    const giveUp = () => attempt.abort();
    const worker = createWorker(giveUp);
    let callOff = schedule(limits.feedSilenceMs, giveUp);
    let hasOverflowed = false;
    const answer = await outbound.request({
      method: 'GET',
      url,
      headers: {
        ...headers,
        accept: 'text/event-stream',
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      },
      body: undefined,
      timeoutMs: limits.maxFeedStreamMs,
      maxBytes: limits.maxFeedStreamBytes,
      signal,
      pool: `feed ${issuer}`,
      onEvent(event) {
        hasOverflowed = !worker.take(event);
        return hasOverflowed;
      },
      onPosition(position) {
        retryMs = position.retryMs ?? retryMs;
      },
      onStreamBytes() {
        pulse.heard();
        callOff();
        callOff = schedule(limits.feedSilenceMs, giveUp);
      },
    });
    callOff();
    const isSound = await worker.finish();
    if (!isSound) return 'failed';
    if (hasOverflowed) return 'cut';
    if (answer.ok && answer.value.isStream) return 'ended';
    if (closed.signal.aborted) return 'ended';
    log.warn('feed.unreachable', {
      issuer,
      detail: answer.ok ? `status ${answer.value.status}` : `${answer.error.reason} (${answer.error.detail})`,
    });
    return !answer.ok && answer.error.phase === 'body' ? 'ended' : 'failed';
  }

  async function run(): Promise<void> {
    let failures = 0;
    while (!closed.signal.aborted) {
      const ending = await connect();
      failures = ending === 'failed' ? failures + 1 : 0;
      const waitMs = ending === 'cut' ? 0 : backoffMs(failures, retryMs, random);
      await pause(waitMs, schedule, closed.signal);
    }
  }

  const running = run();
  return {
    async close() {
      closed.abort();
      await running;
    },
  };
}
