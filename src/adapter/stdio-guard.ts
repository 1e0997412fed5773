import type { Log } from '#kernel/log.ts';

/** Sees to it that no child outlives the gateway, even one that was killed. */
export interface StdioGuard {
  /** Whether the guard runs; starts it if need be. No child may be started without it. */
  isReady(): boolean;
  /** Resolves when this process group is sure to end with the gateway; false: there is no guard any more. */
  watch(group: number): Promise<boolean>;
  release(group: number): void;
  /** The guard ends by itself when nobody writes to it any more; resolves when it has. */
  close(): Promise<void>;
}

const restartMs = 1_000;

/**
 * Keeps one guard process, begun with the first child. `command` runs `runGuardCommand`: the gateway's own executable with a
 * hidden command. A guard that dies is replaced, and told of every group anew.
 */
export function createStdioGuard(command: readonly string[], log: Log): StdioGuard {
  const groups = new Set<number>();
  let running: ReturnType<typeof start>;
  let restarting: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  function start() {
    try {
      const child = Bun.spawn([...command], {
        // An empty folder and environment: nothing there is read, nothing of ours is shown.
        cwd: '/',
        env: {},
        stdin: 'pipe',
        stdout: 'ignore',
        stderr: 'ignore',
        // A session of its own: what is sent to the gateway's group (Ctrl-C) does not reach it.
        detached: true,
        onExit: (_child, code, signal) => ended(code ?? undefined, signal ?? undefined),
      });
      child.unref();
      return child;
    } catch (error) {
      log.error('server.guard_failed', { problem: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }

  function ended(code: number | undefined, signal: string | number | undefined): void {
    running = undefined;
    if (isClosed) return;
    log.error('server.guard_ended', { code, signal, groups: groups.size });
    if (groups.size === 0) return;
    restarting = setTimeout(ensure, restartMs);
    restarting.unref();
  }

  /** False: the guard is gone, and its end is told apart. */
  async function tell(line: string): Promise<boolean> {
    if (running === undefined) return false;
    const { stdin } = running;
    try {
      await Promise.all([stdin.write(line), stdin.flush()]);
      return true;
    } catch {
      return false;
    }
  }

  function ensure(): boolean {
    if (isClosed) return false;
    if (running !== undefined) return true;
    clearTimeout(restarting);
    running = start();
    for (const group of groups) void tell(`+${group}\n`);
    return running !== undefined;
  }

  return {
    isReady: ensure,
    watch(group) {
      groups.add(group);
      return tell(`+${group}\n`);
    },
    release(group) {
      if (groups.delete(group)) void tell(`-${group}\n`);
    },
    async close() {
      isClosed = true;
      clearTimeout(restarting);
      const child = running;
      if (child === undefined) return;
      Promise.resolve(child.stdin.end()).catch(() => {});
      await child.exited;
    },
  };
}
