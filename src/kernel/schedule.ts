/** Runs `task` once after `delayMs`; the returned function calls it off. */
export type Schedule = (delayMs: number, task: () => void) => () => void;

/** Timers of the platform; they do not keep the process alive. */
export const systemSchedule: Schedule = (delayMs, task) => {
  const timer = setTimeout(task, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
};
