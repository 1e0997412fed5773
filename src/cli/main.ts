import { guardCommand } from './own-command.ts';
import { release } from './release.ts';

/**
 * The whole command: `argv` without the program, back comes the exit code. Everything but the version is imported
 * only now: scripts ask for the version often, and each module costs them time.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const [first] = argv;
  if (argv.length === 1 && (first === '--version' || first === '-V')) {
    console.log(`cortex ${release.version}`);
    return 0;
  }
  if (first === guardCommand) {
    const { runGuardCommand } = await import('#adapter/stdio-guard-command.ts');
    return runGuardCommand(argv.slice(1));
  }
  const [{ runProgram }, { commands }, { processTerminal, ReaderGone }] = await Promise.all([
    import('./program.ts'),
    import('./commands.ts'),
    import('./terminal.ts'),
  ]);
  try {
    return await runProgram(argv, processTerminal(), commands);
  } catch (error) {
    if (error instanceof ReaderGone) return 0;
    throw error;
  }
}
