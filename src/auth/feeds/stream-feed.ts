import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { backoffMs } from './backoff.ts';
import { createEventQueue } from './event-queue.ts';
import type { EventReceiver } from './event-receiver.ts';
import type { FeedPulse } from './feed-pulse.ts';
import { pause } from './pause.ts';

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
 * Reads an event stream of security event tokens for as long as it is open: any byte is a sign of life once what came is
 * acted upon, silence ends the connection, and the next one goes on after the last event that was acted upon.
 */
export function openStreamFeed(deps: StreamFeedDeps): RunningFeed {
  const { issuer, url, headers, outbound, receiver, pulse, clock, schedule, random, log } = deps;
  const closed = new AbortController();
  let lastEventId: string | undefined;
  let retryMs: number | undefined;

  /** Reads one connection to its end. */
  async function connect(): Promise<Ending> {
    const attempt = new AbortController();
    const giveUp = () => attempt.abort();
    let callOff = schedule(limits.feedSilenceMs, giveUp);
    let settle = () => {};
    let heardAt = clock.monotonic();
    let hasCaughtUp = false;
    let hasOverflowed = false;
    // What was revoked and is not worked off yet would be let in meanwhile: until then the feed is as good as lost.
    const tellLife = () => {
      if (hasCaughtUp && queue.isIdle()) pulse.heard(heardAt);
    };
    const queue = createEventQueue({
      receiver,
      signal: closed.signal,
      onDone(id) {
        // What no header can hold cannot be told again: the stream is then read from the one before.
        if (id !== undefined && isHeaderText(id)) lastEventId = id;
      },
      onIdle: tellLife,
      onBroken: giveUp,
    });
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
      signal: AbortSignal.any([closed.signal, attempt.signal]),
      pool: `feed ${issuer}`,
      onEvent(event) {
        hasOverflowed = !queue.take(event);
        return hasOverflowed;
      },
      onPosition(position) {
        retryMs = position.retryMs ?? retryMs;
      },
      onStreamBytes() {
        heardAt = clock.monotonic();
        callOff();
        callOff = schedule(limits.feedSilenceMs, giveUp);
        if (hasCaughtUp) return tellLife();
        settle();
        settle = schedule(limits.feedSettleMs, () => {
          hasCaughtUp = true;
          tellLife();
        });
      },
    });
    callOff();
    settle();
    if (!(await queue.finish())) return 'failed';
    if (hasOverflowed) return 'cut';
    if (closed.signal.aborted || (answer.ok && answer.value.isStream)) return 'ended';
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

function isHeaderText(id: string): boolean {
  return id.length <= limits.maxEventIdLength && /^[\x21-\x7e]+$/.test(id);
}
