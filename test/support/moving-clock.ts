import type { Clock } from '#kernel/clock.ts';

/** The real time plus what the test added: timers run as they do, deadlines come when the test wants. */
export interface MovingClock extends Clock {
  advance(ms: number): void;
}

export function createMovingClock(): MovingClock {
  let added = 0;
  return {
    now: () => Date.now() + added,
    monotonic: () => performance.now() + added,
    advance(ms) {
      added += ms;
    },
  };
}
