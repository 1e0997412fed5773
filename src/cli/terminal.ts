import type { Surroundings } from '#config/find-file.ts';

/** What a command runs in. Data goes to `out` (stdout), talk to `say` (stderr); neither adds a line end. */
export interface Terminal extends Surroundings {
  readonly out: (text: string) => void;
  readonly say: (text: string) => void;
  /** Both stdin and stdout are a terminal: only then may a command ask or draw. */
  readonly isInteractive: boolean;
  readonly columns: number;
}

/** The terminal of this process. A reader that goes away, as `head` does, ends it quietly. */
export function processTerminal(): Terminal {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    cwd: process.cwd(),
    environment: process.env,
    out: (text) => void process.stdout.write(text),
    say: (text) => void process.stderr.write(text),
    isInteractive: process.stdin.isTTY === true && process.stdout.isTTY === true,
    columns: process.stdout.columns ?? 80,
  };
}
