import type { Verifier } from '#keys/signer.ts';
import type { AuditBreak } from './audit-break.ts';
import { createChainCheck } from './chain-check.ts';
import { type ChainFile, lastTime, listChains, readLines } from './files.ts';
import type { AuditRecord } from './line.ts';

/**
 * Goes through what is there, chain by chain, each in its order, checkpoints included; `since` (milliseconds since the
 * epoch) leaves out files that are wholly older. Checks the chain over what it reads; after a break it goes on.
 */
export async function scanAudit(options: {
  readonly dir: string;
  readonly verifier: Verifier;
  readonly since: number | undefined;
  readonly onRecord: (record: AuditRecord) => void;
  readonly onBreak: (broken: AuditBreak) => void;
}): Promise<void> {
  const { dir, verifier, since, onRecord, onBreak } = options;
  for (const [chain, files] of listChains(dir)) {
    let check = createChainCheck(chain, verifier);
    for (const file of await filesSince(files, since)) {
      let line = 0;
      await readLines(file.path, 0, (bytes) => {
        line += 1;
        let next = check.next(bytes);
        if (!next.ok) {
          const { reason, message, isLineBefore } = next.error;
          const place = line - (isLineBefore && line > 1 ? 1 : 0);
          onBreak({ file: file.name, line: place, reason, message });
          check = createChainCheck(chain, verifier);
          next = check.next(bytes);
        }
        if (next.ok) onRecord(next.value);
        return true;
      });
    }
  }
}

async function filesSince(
  files: readonly ChainFile[],
  since: number | undefined,
): Promise<readonly ChainFile[]> {
  if (since === undefined) return files;
  const young: ChainFile[] = [];
  for (const file of files.toReversed()) {
    if ((await lastTime(file.path)) < since) break;
    young.unshift(file);
  }
  return young;
}
