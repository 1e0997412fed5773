import type { Clock } from '#kernel/clock.ts';

/** Whether one feed is alive. Read for each request. */
export interface FeedPulse {
  /** A sign of life came at that moment of the monotonic clock; default: just now. */
  heard(atMs?: number): void;
  /** The sender says that it will not send, or that it will again. */
  stopped(isStopped: boolean): void;
  /** What came could not be acted upon, or can be again. */
  failing(isFailing: boolean): void;
  isLost(): boolean;
  /** Milliseconds since the last sign of life; undefined: none yet. */
  silentMs(): number | undefined;
}

/** Lost until the first sign of life: what was revoked while nobody listened is not known yet. */
export function createFeedPulse(clock: Clock, maxSilenceMs: number): FeedPulse {
  let lastHeard = Number.NEGATIVE_INFINITY;
  let isStopped = false;
  let isFailing = false;
  return {
    heard(atMs = clock.monotonic()) {
      lastHeard = Math.max(lastHeard, atMs);
    },
    stopped(now) {
      isStopped = now;
    },
    failing(now) {
      isFailing = now;
    },
    isLost: () => isStopped || isFailing || clock.monotonic() - lastHeard >= maxSilenceMs,
    silentMs: () => (lastHeard === Number.NEGATIVE_INFINITY ? undefined : clock.monotonic() - lastHeard),
  };
}
