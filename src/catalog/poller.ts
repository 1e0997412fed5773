import type { Backend, Discovery } from '#backends/backend.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import { err, type Result } from '#kernel/result.ts';
import type { Schedule } from '#kernel/schedule.ts';

const FIRST_RETRY_MS = 2_000;
const MIN_GAP_MS = 1_000;

export interface PollerDeps {
  readonly backend: Backend;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly log: Log;
  /** The `ETag` of the catalog that is at hand; makes the poll conditional. */
  readonly etag: () => string | undefined;
  /** The reason of a failure is text for the log and the operator. */
  readonly onOutcome: (outcome: Result<Discovery, string>, ms: number) => void;
}

/** Polls one backend for as long as it lives. */
export interface Poller {
  /** Polls now. While a poll is under way, one more follows it, for everyone who asks meanwhile. */
  poll(): Promise<void>;
  /** Resolves with the first outcome; begins the first poll if none has begun. */
  first(): Promise<void>;
  /** Polls soon: at most once a second, the last request always served. */
  request(): void;
  /** Calls off the timers, aborts a poll that is under way and ignores its outcome. */
  close(): void;
}

/** Each poll arms the next: after the interval, or sooner, with growing delays, when it failed. */
export function createPoller(deps: PollerDeps): Poller {
  const { backend, clock, schedule } = deps;
  const closing = new AbortController();
  let running: Promise<void> | undefined;
  let following: Promise<void> | undefined;
  let cancelNext: (() => void) | undefined;
  let cancelRequested: (() => void) | undefined;
  let startedAt: number | undefined;
  let failures = 0;
  let hasOutcome = false;

  const discover = async (): Promise<Result<Discovery, string>> => {
    const abort = new AbortController();
    const stop = () => abort.abort();
    closing.signal.addEventListener('abort', stop, { once: true });
    let cancelDeadline = () => {};
    const ended = new Promise<Result<Discovery, string>>((resolve) => {
      abort.signal.addEventListener('abort', () => resolve(err('timeout')), { once: true });
      cancelDeadline = schedule(deps.timeoutMs, stop);
    });
    try {
      return await Promise.race([discoverSafely(deps, abort.signal), ended]);
    } finally {
      cancelDeadline();
      closing.signal.removeEventListener('abort', stop);
    }
  };

  const once = async (): Promise<void> => {
    cancelNext?.();
    const began = clock.monotonic();
    startedAt = began;
    const outcome = await discover();
    if (closing.signal.aborted) return;
    hasOutcome = true;
    failures = outcome.ok ? 0 : failures + 1;
    cancelNext = schedule(nextDelayMs(deps, failures), () => void begin());
    deps.onOutcome(outcome, clock.monotonic() - began);
  };

  const begin = (): Promise<void> => {
    if (closing.signal.aborted) return Promise.resolve();
    if (running !== undefined) return running;
    running = once().finally(() => {
      running = undefined;
    });
    return running;
  };

  const poll = (): Promise<void> => {
    if (closing.signal.aborted) return Promise.resolve();
    if (running === undefined) return begin();
    following ??= running.then(() => {
      following = undefined;
      return begin();
    });
    return following;
  };

  return {
    poll,
    async first() {
      if (!hasOutcome) await begin();
    },
    request() {
      if (closing.signal.aborted || cancelRequested !== undefined) return;
      const waitMs = startedAt === undefined ? 0 : Math.max(0, startedAt + MIN_GAP_MS - clock.monotonic());
      if (waitMs === 0) {
        void poll();
        return;
      }
      cancelRequested = schedule(waitMs, () => {
        cancelRequested = undefined;
        void poll();
      });
    },
    close() {
      closing.abort();
      cancelNext?.();
      cancelRequested?.();
      deps.log.debug('catalog.poller_closed', { backend: backend.id });
    },
  };
}

/** `discover` whose exceptions, which are bugs, count as a failure of this backend alone. */
async function discoverSafely(
  { backend, etag, log }: PollerDeps,
  signal: AbortSignal,
): Promise<Result<Discovery, string>> {
  try {
    const outcome = await backend.discover(etag(), signal);
    if (outcome.ok) return outcome;
    return err(`${outcome.error.reason}: ${outcome.error.message}`);
  } catch (cause) {
    log.error('catalog.poll_threw', { backend: backend.id, message: String(cause) });
    return err('internal error');
  }
}

/** The interval +-10 %, or after failures 2 s, 4 s, 8 s ... +-20 %, never above the interval's own. */
function nextDelayMs({ intervalMs, random }: PollerDeps, failures: number): number {
  if (failures === 0) return Math.round(intervalMs * (0.9 + 0.2 * random()));
  const backoffMs = Math.min(intervalMs, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20));
  return Math.round(backoffMs * (0.8 + 0.4 * random()));
}
