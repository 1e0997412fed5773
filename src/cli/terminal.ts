import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Surroundings } from '#config/find-file.ts';

/** What a command runs in. Data goes to `out` (stdout), talk to `say` (stderr); neither adds a line end. */
export interface Terminal extends Surroundings {
  readonly out: (text: string) => void;
  readonly say: (text: string) => void;
  /** Both stdin and stdout are a terminal: only then may a command ask or draw. */
  readonly isInteractive: boolean;
  readonly columns: number;
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
    out: (text) => writeAll(stdout, text),
    say: (text) => writeAll(stderr, text),
    get isInteractive() {
      return isatty(stdin) && isatty(stdout);
    },
    get columns() {
      return isatty(stdout) ? (process.stdout.columns ?? 80) : 80;
    },
  };
}

/** A full pipe is waited for; a reader that went away, as `head` does, ends the process quietly. */
function writeAll(descriptor: number, text: string): void {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.byteLength > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EPIPE') process.exit(0);
      if (code !== 'EAGAIN') throw error;
      Bun.sleepSync(1);
    }
  }
}
