import { setTimeout as sleep } from 'node:timers/promises';

/** Together well under the two seconds that a killed gateway's children may still have. */
const termMs = 1_000;
const pollMs = 50;
const maxLineLength = 32;

/**
 * The guard: a process of its own that holds nothing but its stdin. It reads `+<group>` and `-<group>` lines; at the end of
 * them the gateway is gone, however it went, and every group still on the list is ended. Resolves with the exit code.
 */
export async function runStdioGuard(input: AsyncIterable<Uint8Array>): Promise<number> {
  // What ends the gateway's own group (a terminal, a service manager) leaves the guard to the gateway's end.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
  const groups = await readGroups(input);
  for (const group of groups) signalGroup(group, 'SIGTERM');
  for (let waited = 0; waited < termMs && [...groups].some(isAlive); waited += pollMs) await sleep(pollMs);
  for (const group of groups) signalGroup(group, 'SIGKILL');
  return 0;
}

/** The groups that are on the list when the input ends. */
async function readGroups(input: AsyncIterable<Uint8Array>): Promise<ReadonlySet<number>> {
  const groups = new Set<number>();
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of input) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = (lines.pop() ?? '').slice(0, maxLineLength);
    for (const line of lines) {
      const group = groupOf(line);
      if (group === undefined) continue;
      if (line.startsWith('+')) groups.add(group);
      else groups.delete(group);
    }
  }
  return groups;
}

/** 0 and 1 would be the guard's own group and every process there is. */
function groupOf(line: string): number | undefined {
  const digits = /^[+-](\d{1,10})$/.exec(line)?.[1];
  const group = Number(digits ?? 0);
  return group > 1 ? group : undefined;
}

function signalGroup(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-group, signal);
  } catch {
    // Nobody is left in it.
  }
}

function isAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
