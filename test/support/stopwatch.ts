import { readFileSync } from 'node:fs';

/**
 * Starts to measure; gives the milliseconds since, without those in which this thread was ready to run and the machine
 * ran something else: what is measured is the code, not the neighbours. Elsewhere than on Linux they count.
 */
export function stopwatch(): () => number {
  const startedMs = performance.now();
  const inLineMs = timeInLineMs();
  return () => performance.now() - startedMs - (timeInLineMs() - inLineMs);
}

/** How long this thread has waited for a processor; the second number of /proc/thread-self/schedstat, in nanoseconds. */
function timeInLineMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1] ?? 0) / 1e6;
  } catch {
    return 0;
  }
}
