import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { tryLock } from '#store/process-lock.ts';
import { type ChainFile, lastLines, listChains, lockPath } from './files.ts';
import { type AuditRecord, hashLine, parseAuditLine } from './line.ts';

/** What a chain lost to retention: everything before `keptFrom`, whose record links to `head`. */
export interface Burial {
  readonly chain: string;
  readonly keptFrom: number;
  readonly head: string;
  /** ISO 8601 time of the last record removed. */
  readonly lastTime: string;
}

/**
 * Removes whole files whose last record is older than `before`, oldest first, of this process's chain (never the file
 * it writes) and of chains no process holds. `bury` writes the tombstone and resolves with true once it is signed and
 * on the disk; only then are the files removed, so a start of a chain that is gone is always accounted for.
 */
export async function applyRetention(options: {
  readonly dir: string;
  readonly before: number;
  readonly ownChain: string;
  readonly ownIndex: number;
  readonly bury: (burial: Burial) => Promise<boolean>;
}): Promise<void> {
  const { dir, before, ownChain, ownIndex, bury } = options;
  for (const [chain, files] of listChains(dir)) {
    const isOwn = chain === ownChain;
    const lock = isOwn ? undefined : tryLock(lockPath(dir, chain));
    if (!isOwn && lock === undefined) continue;
    try {
      const candidates = isOwn ? files.filter((file) => file.index < ownIndex) : files;
      const expired = await expiredAmong(candidates, before);
      const end = expired.at(-1);
      if (end === undefined) continue;
      const isBuried = await bury({
        chain,
        keptFrom: end.last.seq + 1,
        head: end.hash,
        lastTime: end.last.time,
      });
      if (!isBuried) return;
      for (const { file } of expired) await unlink(file.path);
      await syncFolder(dir);
    } finally {
      lock?.release();
    }
  }
}

interface ExpiredFile {
  readonly file: ChainFile;
  readonly last: AuditRecord;
  readonly hash: string;
}

async function expiredAmong(files: readonly ChainFile[], before: number): Promise<readonly ExpiredFile[]> {
  const expired: ExpiredFile[] = [];
  for (const file of files) {
    const lines = await lastLines(file.path);
    const records = lines.map(parseAuditLine).flatMap((record) => (record.ok ? [record.value] : []));
    const line = lines.at(-1);
    const last = records.at(-1);
    // A file whose end cannot be read is left for `audit verify` to show.
    if (line === undefined || last === undefined || records.length < lines.length) break;
    // The checkpoint that ends a file may be much younger than what it signs.
    const youngest = records.findLast((record) => record.kind !== 'checkpoint') ?? last;
    if (!(Date.parse(youngest.time) < before)) break;
    expired.push({ file, last, hash: hashLine(line) });
  }
  return expired;
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, constants.O_RDONLY);
  await folder.sync().finally(() => folder.close());
}
