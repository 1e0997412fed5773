import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { tryLock } from '#store/process-lock.ts';
import { type ChainFile, lastLine, listChains, lockPath } from './files.ts';
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
      const last = expired.at(-1);
      if (last === undefined) continue;
      const { record, hash } = last;
      const isBuried = await bury({ chain, keptFrom: record.seq + 1, head: hash, lastTime: record.time });
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
  readonly record: AuditRecord;
  readonly hash: string;
}

async function expiredAmong(files: readonly ChainFile[], before: number): Promise<readonly ExpiredFile[]> {
  const expired: ExpiredFile[] = [];
  for (const file of files) {
    const line = await lastLine(file.path);
    const record = line === undefined ? undefined : parseAuditLine(line);
    // A file whose end says no time is left for `audit verify` to show.
    if (line === undefined || !record?.ok || !(Date.parse(record.value.time) < before)) break;
    expired.push({ file, record: record.value, hash: hashLine(line) });
  }
  return expired;
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, constants.O_RDONLY);
  await folder.sync().finally(() => folder.close());
}
