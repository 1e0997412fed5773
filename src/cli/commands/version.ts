import { allRevisions } from '#wire/protocol.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { release } from '../release.ts';

/** Prints version, commit and protocol revisions. */
export async function version({ output }: Invocation): Promise<number> {
  const { commit } = release;
  if (output.isJson) {
    output.document({
      version: release.version,
      commit: commit ?? null,
      protocol_revisions: allRevisions,
    });
    return exitCodes.done;
  }
  output.line(`cortex ${release.version}`);
  output.line(`commit ${commit ?? 'none: runs from sources'}`);
  output.line(`protocol ${allRevisions.join(', ')}`);
  return exitCodes.done;
}
