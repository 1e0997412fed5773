import type { Clock } from '#kernel/clock.ts';
import type { Schedule } from '#kernel/schedule.ts';

/** Time that stands still until it is told to go on. */
export interface FakeTime {
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Lets time pass, running what is due, in order, and what that sets off. */
  advance(ms: number): Promise<void>;
  readonly pending: () => number;
}

export function fakeTime(startMs = 1_000_000): FakeTime {
  let now = startMs;
  let count = 0;
  const timers = new Map<number, { readonly at: number; readonly task: () => void }>();

  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  };

  return {
    clock: { now: () => now, monotonic: () => now },
    schedule(delayMs, task) {
      const id = count++;
      timers.set(id, { at: now + delayMs, task });
      return () => timers.delete(id);
    },
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        const due = [...timers]
          .filter(([, { at }]) => at <= until)
          .sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
        if (due === undefined) break;
        timers.delete(due[0]);
        now = Math.max(now, due[1].at);
        due[1].task();
        await settle();
      }
      now = until;
    },
    pending: () => timers.size,
  };
}
