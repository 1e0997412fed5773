import { release } from './release.ts';

/** The hidden command that `main` answers before any other: the guard over child processes. */
export const guardCommand = 'stdio-guard';

/** How this very command is started again with other arguments: the compiled file, or Bun with the script. */
export function ownCommand(...args: readonly string[]): readonly string[] {
  return release.commit === undefined ? [process.execPath, Bun.main, ...args] : [process.execPath, ...args];
}
