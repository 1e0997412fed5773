import type { Invocation } from '../command.ts';
import { commandGroups, commands, globalOptions } from '../commands.ts';
import { completionScript, shells } from '../completion/scripts.ts';
import { completionTree } from '../completion/tree.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';

/** Prints the script with which a shell completes this command. */
export async function completion({ args, output }: Invocation): Promise<number> {
  const shell = shells.find((name) => name === args[0]);
  if (shell === undefined) {
    throw new UserError(`there is no completion for ${JSON.stringify(args[0])}`, {
      next: `cortex completion ${shells.join('|')}`,
    });
  }
  const script = completionScript(shell, completionTree(commands, commandGroups, globalOptions));
  if (output.isJson) output.document({ shell, script });
  else output.line(script.trimEnd());
  return exitCodes.done;
}
