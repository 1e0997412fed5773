import type { Clock } from '#kernel/clock.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** What became of one admitted call; exactly one of the three is called. */
export interface Permit {
  succeeded(): void;
  failed(): void;
  /** It said nothing about the backend. */
  released(): void;
}

export interface Breaker {
  state(): 'closed' | 'open' | 'half_open';
  /** Milliseconds until a call may be tried; 0: now. */
  waitMs(): number;
  /** The error is the time in milliseconds until another try makes sense. */
  admit(): Result<Permit, number>;
}

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly maxConsecutive: number;
  /** Of the last `window` calls, all within `windowMs`, this share of failures opens it. */
  readonly maxFailureShare: number;
  readonly window: number;
  readonly windowMs: number;
  /** The first pause; it doubles with each probe that fails. */
  readonly pauseMs: number;
  readonly maxPauseMs: number;
}

export const breakerDefaults: BreakerOptions = {
  maxConsecutive: 5,
  maxFailureShare: 0.5,
  window: 20,
  windowMs: 60_000,
  pauseMs: 5_000,
  maxPauseMs: 60_000,
};

/** Stops calls to a backend that keeps failing; after a pause one probe at a time finds out whether it is back. */
export function createBreaker(clock: Clock, options: BreakerOptions = breakerDefaults): Breaker {
  let isOpen = false;
  let isProbing = false;
  let opensUntil = 0;
  let pauseMs = options.pauseMs;
  let consecutive = 0;
  let recent: { readonly at: number; readonly failed: boolean }[] = [];

  function open(): void {
    isOpen = true;
    opensUntil = clock.monotonic() + pauseMs;
    pauseMs = Math.min(pauseMs * 2, options.maxPauseMs);
  }
  function close(): void {
    isOpen = false;
    pauseMs = options.pauseMs;
    consecutive = 0;
    recent = [];
  }
  function remember(failed: boolean): void {
    consecutive = failed ? consecutive + 1 : 0;
    recent.push({ at: clock.monotonic(), failed });
    if (recent.length > options.window) recent.shift();
  }
  function isFailing(): boolean {
    if (consecutive >= options.maxConsecutive) return true;
    const [oldest] = recent;
    if (oldest === undefined || recent.length < options.window) return false;
    if (oldest.at < clock.monotonic() - options.windowMs) return false;
    return recent.filter((call) => call.failed).length >= options.window * options.maxFailureShare;
  }

  function waitMs(): number {
    if (!isOpen) return 0;
    return isProbing ? options.pauseMs : Math.max(0, opensUntil - clock.monotonic());
  }

  const ordinary: Permit = {
    succeeded() {
      if (!isOpen) remember(false);
    },
    failed() {
      // A call from before the opening says nothing new.
      if (isOpen) return;
      remember(true);
      if (isFailing()) open();
    },
    released() {},
  };
  const probe: Permit = {
    succeeded() {
      isProbing = false;
      close();
    },
    failed() {
      isProbing = false;
      open();
    },
    released() {
      isProbing = false;
    },
  };

  return {
    state() {
      if (!isOpen) return 'closed';
      return clock.monotonic() < opensUntil ? 'open' : 'half_open';
    },
    waitMs,
    admit() {
      if (!isOpen) return ok(ordinary);
      const wait = waitMs();
      if (wait > 0) return err(wait);
      isProbing = true;
      return ok(probe);
    },
  };
}
