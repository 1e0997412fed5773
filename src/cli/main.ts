import { release } from './release.ts';
import type { Terminal } from './terminal.ts';

/** The whole command: `argv` without the program, back comes the exit code. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [first] = argv;
  if (argv.length === 1 && (first === '--version' || first === '-V')) {
    terminal.out(`cortex ${release.version}\n`);
    return 0;
  }
  const [{ runProgram }, { commands }] = await Promise.all([import('./program.ts'), import('./commands.ts')]);
  return runProgram(argv, terminal, commands);
}
