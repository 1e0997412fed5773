import type { CommandSpec } from '#cli/command.ts';
import { commands as allCommands } from '#cli/commands.ts';
import { runProgram } from '#cli/program.ts';
import type { Terminal } from '#cli/terminal.ts';

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly isInteractive?: boolean;
  readonly columns?: number;
  readonly commands?: readonly CommandSpec[];
  /** Lines that wait on stdin. */
  readonly stdin?: readonly string[];
}

/** Runs a command line in process, in a home of nobody. */
export async function run(line: string | readonly string[], options: RunOptions = {}): Promise<Run> {
  let stdout = '';
  let stderr = '';
  const lines = [...(options.stdin ?? [])];
  const terminal: Terminal = {
    cwd: options.cwd ?? '/nowhere',
    environment: { HOME: '/home/ada', ...options.environment },
    out: (text) => {
      stdout += text;
    },
    say: (text) => {
      stderr += text;
    },
    ...(options.stdin && { readLine: async () => lines.shift() }),
    isInteractive: options.isInteractive ?? false,
    columns: options.columns ?? 80,
  };
  const argv = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line;
  const exitCode = await runProgram(argv, terminal, options.commands ?? allCommands);
  return { exitCode, stdout, stderr };
}
