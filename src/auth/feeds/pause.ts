import type { Schedule } from '#kernel/schedule.ts';

/** Waits, or until the signal. */
export function pause(ms: number, schedule: Schedule, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      callOff();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const callOff = schedule(ms, done);
    signal.addEventListener('abort', done);
  });
}
