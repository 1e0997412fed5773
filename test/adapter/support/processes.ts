import { readdirSync, readFileSync } from 'node:fs';

/** Whether a process runs: one that is dead and only not yet waited for does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state] = stat.slice(stat.lastIndexOf(')') + 2);
    return state !== 'Z' && state !== 'X';
  } catch {
    return false;
  }
}

/** Every running process of a process group. */
export function groupMembers(group: number): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && groupOf(pid) === group && isRunning(pid));
}

function groupOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[2]);
  } catch {
    return undefined;
  }
}

/** Milliseconds until none of them runs any more; throws after `timeoutMs`. */
export async function untilGone(pids: () => readonly number[], timeoutMs: number): Promise<number> {
  const begun = performance.now();
  for (;;) {
    const left = pids().filter(isRunning);
    const waited = performance.now() - begun;
    if (left.length === 0) return waited;
    if (waited > timeoutMs) throw new Error(`still running after ${timeoutMs} ms: ${left.join(', ')}`);
    await Bun.sleep(10);
  }
}
