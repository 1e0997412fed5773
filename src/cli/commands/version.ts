import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { release } from '../release.ts';

/** Prints version, commit and protocol revisions. */
export async function version({ output }: Invocation): Promise<number> {
  if (output.isJson) {
    const { commit, protocolRevisions } = release;
    output.document({
      version: release.version,
      commit: commit ?? null,
      protocol_revisions: [...protocolRevisions],
    });
    return exitCodes.done;
  }
  output.line(`cortex ${release.version}`);
  output.line(`commit ${release.commit ?? 'none: runs from sources'}`);
  output.line(`protocol ${release.protocolRevisions.join(', ')}`);
  return exitCodes.done;
}
