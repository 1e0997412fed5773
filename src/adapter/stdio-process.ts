import { statSync } from 'node:fs';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { Secret } from '#kernel/secret.ts';
import type { StdioGuard } from './stdio-guard.ts';
import { launchArgument } from './stdio-guard-command.ts';
import { launchText } from './stdio-launch.ts';

export interface StdioCommand {
  /** The program and its arguments, as they are: there is no shell. */
  readonly command: readonly string[];
  /** Everything the child sees of an environment, besides `PATH`. */
  readonly env: ReadonlyMap<string, Secret>;
  /** `PATH` where `env` names none; the program is looked for there too. */
  readonly path: string;
  readonly cwd: string | undefined;
}

export interface StdioProcess {
  readonly pid: number;
  /** Sends one message, its line end added. False: the child is gone, or does not read what it was sent before. */
  send(text: string): boolean;
  /** Orderly: its stdin ends, then SIGTERM, then SIGKILL to its whole group. Resolves when nothing of it is left. */
  stop(): Promise<void>;
  isStopping(): boolean;
  /** Ends its whole group at once, as a crash would. */
  kill(): void;
}

export interface StdioProcessEvents {
  stdout(chunk: Uint8Array): void;
  stderr(chunk: Uint8Array): void;
  /** Called once, after everything it wrote. */
  exited(exit: StdioExit): void;
}
export interface StdioExit {
  readonly code: number | undefined;
  readonly signal: string | number | undefined;
  /** It was us who ended it. */
  readonly wasStopped: boolean;
}

export type StdioStartProblem = 'not_found' | 'no_guard' | 'failed';

const stepMs = 2_000;
/** After its end: how long what it wrote may still take to come. */
const lastWordsMs = 250;
const maxUnsent = 16 * 1024 * 1024;
/** A child that floods must not keep the gateway from anything else. */
const bytesPerTurn = 256 * 1024;

/**
 * Starts one child in a session and process group of its own, with three pipes and no other descriptor. What is left of its
 * group when it ends is killed: whoever asked it is told that it is gone.
 */
export function startStdioProcess(
  given: StdioCommand,
  events: StdioProcessEvents,
  deps: {
    readonly guard: StdioGuard;
    readonly guardCommand: readonly string[];
    readonly schedule: Schedule;
  },
): Result<StdioProcess, StdioStartProblem> {
  const [program = '', ...args] = given.command;
  const env = environmentOf(given);
  const file = Bun.which(program, { PATH: env.PATH, ...(given.cwd !== undefined && { cwd: given.cwd }) });
  if (file === null) return err('not_found');
  const cwd = given.cwd ?? process.cwd();
  if (!isFolder(cwd)) return err('failed');
  if (!deps.guard.isReady()) return err('no_guard');
  const started = spawnLauncher(deps.guardCommand);
  if (started === undefined) return err('failed');
  const child = started;
  const isWatched = deps.guard.watch(child.pid);

  // The launcher becomes the program once it has its order, and it has that once the guard knows of it.
  const order = launchText({ file, args, env, cwd });
  let unsent: string[] = [order];
  let unsentLength = order.length;
  let isSending = false;
  let isOver = false;
  let stopping: Promise<void> | undefined;

  async function pump(): Promise<void> {
    isSending = true;
    try {
      if (!(await isWatched)) signalGroup(child.pid, 'SIGKILL');
      while (unsent.length > 0) {
        const text = unsent.join('');
        unsent = [];
        await child.stdin.write(text);
        await child.stdin.flush();
        unsentLength -= text.length;
      }
    } catch {
      // It does not read any more; its end is told by its exit, or by who waits in vain.
      isOver = true;
    }
    isSending = false;
  }

  async function drain(stream: ReadableStream<Uint8Array>, take: (chunk: Uint8Array) => void): Promise<void> {
    let inTurn = 0;
    for await (const chunk of stream) {
      take(chunk);
      inTurn += chunk.byteLength;
      if (inTurn < bytesPerTurn) continue;
      inTurn = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  // Begun at once: what nobody reads, Bun would gather without a bound.
  const said = Promise.all([drain(child.stdout, events.stdout), drain(child.stderr, events.stderr)]).catch(
    () => undefined,
  );
  const gone = (async () => {
    const code = await child.exited;
    isOver = true;
    signalGroup(child.pid, 'SIGKILL');
    deps.guard.release(child.pid);
    await Promise.race([said, after(deps.schedule, lastWordsMs)]);
    events.exited({ code, signal: child.signalCode ?? undefined, wasStopped: stopping !== undefined });
  })();

  void pump();

  async function endInSteps(): Promise<void> {
    isOver = true;
    const isGone = (): Promise<boolean> =>
      Promise.race([gone.then(() => true), after(deps.schedule, stepMs).then(() => false)]);
    // While it does not read, it would not see the end either.
    if (!isSending) {
      Promise.resolve(child.stdin.end()).catch(() => {});
      if (await isGone()) return;
    }
    signalGroup(child.pid, 'SIGTERM');
    if (await isGone()) return;
    signalGroup(child.pid, 'SIGKILL');
    await gone;
  }

  return ok({
    pid: child.pid,
    send(text) {
      if (isOver || unsentLength + text.length > maxUnsent) return false;
      unsent.push(text, '\n');
      unsentLength += text.length + 1;
      if (!isSending) void pump();
      return true;
    },
    stop() {
      stopping ??= endInSteps();
      return stopping;
    },
    isStopping: () => stopping !== undefined,
    kill: () => signalGroup(child.pid, 'SIGKILL'),
  });
}

function environmentOf({ env, path }: StdioCommand): Record<string, string> & { readonly PATH: string } {
  const named = [...env].map(([name, value]) => [name, value.reveal()]);
  return { PATH: path, ...Object.fromEntries(named) };
}

/** An empty folder and environment: nothing there is read, and the program gets its own with the order. */
function spawnLauncher(guardCommand: readonly string[]) {
  try {
    return Bun.spawn([...guardCommand, launchArgument], {
      env: {},
      cwd: '/',
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'pipe',
      detached: true,
    });
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function signalGroup(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-group, signal);
  } catch {
    // Nobody is left in it.
  }
}

function after(schedule: Schedule, delayMs: number): Promise<void> {
  return new Promise((resolve) => void schedule(delayMs, resolve));
}
