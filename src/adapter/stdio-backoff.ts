import type { Clock } from '#kernel/clock.ts';

export interface StdioBackoff {
  /** Milliseconds until a child for `key` may be started; 0: now. */
  waitMs(key: string): number;
  /** A child came to an end that nobody asked for, after `livedMs`. */
  crashed(key: string, livedMs: number): void;
}

const firstMs = 1_000;
const maxMs = 60_000;
/** Who lived that long starts anew. */
const healthyMs = 60_000;
const maxKeys = 1_000;

interface Pause {
  readonly crashes: number;
  readonly until: number;
}

/** The first restart is at once; each crash soon after doubles the pause before the next, with up to a half of jitter. */
export function createStdioBackoff(deps: {
  readonly clock: Clock;
  readonly random: () => number;
}): StdioBackoff {
  const pauses = new Map<string, Pause>();

  return {
    waitMs: (key) => Math.max(0, (pauses.get(key)?.until ?? 0) - deps.clock.monotonic()),
    crashed(key, livedMs) {
      const before = livedMs >= healthyMs ? 0 : (pauses.get(key)?.crashes ?? 0);
      const pauseMs = before === 0 ? 0 : Math.min(maxMs, firstMs * 2 ** (before - 1));
      const jitterMs = pauseMs * deps.random() * 0.5;
      pauses.delete(key);
      pauses.set(key, { crashes: before + 1, until: deps.clock.monotonic() + pauseMs + jitterMs });
      const [oldest] = pauses.keys();
      if (pauses.size > maxKeys && oldest !== undefined) pauses.delete(oldest);
    },
  };
}
