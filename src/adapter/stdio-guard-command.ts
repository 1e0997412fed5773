import { runStdioGuard } from './stdio-guard-process.ts';
import { runStdioLaunch } from './stdio-launch.ts';

/** Makes the hidden command the launcher of one child in place of the guard over all. */
export const launchArgument = 'launch';

/** What the gateway's own executable does beside the gateway; resolves with the exit code. */
export async function runGuardCommand(args: readonly string[]): Promise<number> {
  return args[0] === launchArgument ? runStdioLaunch() : runStdioGuard(Bun.stdin.stream());
}
