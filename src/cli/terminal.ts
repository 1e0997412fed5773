import { fstatSync, writeSync } from 'node:fs';
import { isatty, type ReadStream, type WriteStream } from 'node:tty';
import type { Surroundings } from '#config/find-file.ts';

/** Whoever read stdout went away, as `head` does: there is nothing more to do, and nothing is wrong. */
export class ReaderGone extends Error {}

/**
 * What a command runs in. Data goes to `out` (stdout), which throws {@link ReaderGone}; talk to `say` (stderr), which
 * never throws: a log on a full disk must not stop what it tells about. Neither adds a line end.
 */
export interface Terminal extends Surroundings {
  readonly out: (text: string) => void;
  readonly say: (text: string) => void;
  /** Both stdin and stdout are a terminal: only then may a command ask or draw. */
  readonly isInteractive: boolean;
  /** Stderr is a terminal: somebody sees talk as it comes. */
  readonly isTalkSeen?: boolean;
  /** A line that the person types; undefined at the end of the input, and when `signal` aborts. */
  readonly readLine?: (signal: AbortSignal) => Promise<string | undefined>;
  /** All that comes on stdin, for a command whose stdin is no person's. */
  readonly input?: () => AsyncIterable<Uint8Array>;
  readonly columns: number;
  /** What views draw on; absent where there is nothing to draw on. */
  readonly screen?: () => Screen;
}

/** A terminal's two ends. */
export interface Screen {
  readonly input: ReadStream;
  readonly output: WriteStream;
}

const stdin = 0;
const stdout = 1;
const stderr = 2;

/**
 * The terminal of this process. Writes are synchronous: nothing is lost at exit, and Bun's stream objects, which
 * cost milliseconds to make, are made only when asked for the width of a terminal.
 */
export function processTerminal(): Terminal {
  return {
    cwd: process.cwd(),
    environment: process.env,
    out(text) {
      if (!writeAll(stdout, text)) throw new ReaderGone('nobody reads stdout');
    },
    say(text) {
      try {
        writeAll(stderr, text);
      } catch {
        // There is nowhere left to say so.
      }
    },
    get isInteractive() {
      return isTerminal(stdin) && isTerminal(stdout);
    },
    get isTalkSeen() {
      return isTerminal(stderr);
    },
    readLine: (signal) => readLine(signal),
    input: () => Bun.stdin.stream(),
    get columns() {
      return isTerminal(stdout) ? (process.stdout.columns ?? 80) : 80;
    },
    screen: () => ({ input: process.stdin, output: process.stdout }),
  };
}

/** Pipes and files are told apart by what is loaded anyway; `node:tty` would bring all of `stream` along. */
function isTerminal(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isCharacterDevice() && isatty(descriptor);
  } catch {
    return false;
  }
}

/** A full pipe is waited for. False: its reader went away. */
function writeAll(descriptor: number, text: string): boolean {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.byteLength > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EPIPE') return false;
      if (code !== 'EAGAIN') throw error;
      Bun.sleepSync(1);
    }
  }
  return true;
}

async function readLine(signal: AbortSignal): Promise<string | undefined> {
  const { createInterface } = await import('node:readline');
  if (signal.aborted) return undefined;
  const lines = createInterface({ input: process.stdin });
  const line = await new Promise<string | undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    lines.once('line', resolve);
    lines.once('close', () => resolve(undefined));
  });
  lines.close();
  process.stdin.pause();
  // A file has none, and keeps nothing alive.
  if ('unref' in process.stdin) process.stdin.unref();
  return line;
}
