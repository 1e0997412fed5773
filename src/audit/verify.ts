import { stringAt } from '#kernel/json.ts';
import type { Verifier } from '#keys/signer.ts';
import { type ChainBreakReason, type ChainCheck, createChainCheck, isFirstOfChain } from './chain-check.ts';
import { type ChainFile, listChains, readLines } from './files.ts';
import type { AuditRecord } from './line.ts';

/** `history_missing`: the chain starts late and no signed tombstone says why. `file_missing`: a file that was announced. */
export interface AuditBreak {
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  readonly reason: ChainBreakReason | 'history_missing' | 'file_missing';
  readonly message: string;
}

export interface ChainReport {
  readonly chain: string;
  readonly files: number;
  readonly records: number;
  readonly firstSeq: number | undefined;
  readonly firstTime: string | undefined;
  readonly lastCheckpoint: { readonly seq: number; readonly time: string } | undefined;
  /** Records after the last checkpoint: linked, but whoever can write the file could have made them. */
  readonly unanchored: number;
  /** Bytes of half a line at the very end: being written, or left by a killed process. */
  readonly tornBytes: number;
  /** Retention removed what was before the first record. */
  readonly isShortened: boolean;
  /** The first place where it does not hold; what comes after it was not looked at. */
  readonly broken: AuditBreak | undefined;
}

/**
 * `intact`: every record of every chain is there, unchanged, in order and under a signature, from the start or a
 * signed tombstone to the last checkpoint, and nothing comes after. `unanchored`: as intact, but records follow the
 * last checkpoint, or there is no record at all. `broken`: at least one chain does not hold.
 * Not seen here: an end cut off at a checkpoint. Only a copy of a later checkpoint, kept elsewhere, shows that.
 */
export interface AuditReport {
  readonly status: 'intact' | 'broken' | 'unanchored';
  readonly records: number;
  readonly chains: readonly ChainReport[];
}

/** Reads every file of a folder and checks every link and signature; memory does not grow with the files. */
export async function verifyAudit(dir: string, verifier: Verifier): Promise<AuditReport> {
  const tombstones: Tombstone[] = [];
  const walked: WalkedChain[] = [];
  for (const chain of listChains(dir).keys()) {
    walked.push(await walkAsListed(dir, chain, verifier, tombstones, walkTries));
  }
  const chains = walked.map(({ first, report }) => {
    const isShortened = first !== undefined && !isFirstOfChain(first.record);
    const isAccounted = !isShortened || tombstones.some((tombstone) => accountsFor(tombstone, first.record));
    if (isAccounted) return { ...report, isShortened };
    const message = `the chain starts at record ${first.record.seq}, and no signed tombstone says why`;
    return { ...report, broken: { file: first.file, line: 1, reason: 'history_missing', message } as const };
  });
  const records = chains.reduce((sum, chain) => sum + chain.records, 0);
  const isOpen = chains.some((chain) => chain.unanchored > 0 || chain.tornBytes > 0);
  if (chains.some((chain) => chain.broken !== undefined)) return { status: 'broken', records, chains };
  return { status: isOpen || records === 0 ? 'unanchored' : 'intact', records, chains };
}

interface Tombstone {
  readonly of: string;
  readonly keptFrom: number;
  readonly head: string;
}
interface WalkedChain {
  readonly first: { readonly file: string; readonly record: AuditRecord } | undefined;
  readonly report: ChainReport;
}

const walkTries = 3;

/** Retention may remove files between listing and reading; then the chain is listed again. */
async function walkAsListed(
  dir: string,
  chain: string,
  verifier: Verifier,
  tombstones: Tombstone[],
  tries: number,
): Promise<WalkedChain> {
  try {
    return await walkChain(chain, listChains(dir).get(chain) ?? [], verifier, tombstones);
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isGone || tries === 1) throw error;
    return walkAsListed(dir, chain, verifier, tombstones, tries - 1);
  }
}

/** Adds the tombstones that a checkpoint covers to `tombstones`. */
async function walkChain(
  chain: string,
  files: readonly ChainFile[],
  verifier: Verifier,
  tombstones: Tombstone[],
): Promise<WalkedChain> {
  const check = createChainCheck(chain, verifier);
  let first: WalkedChain['first'];
  let records = 0;
  let tornBytes = 0;
  let broken: AuditBreak | undefined;
  let unsigned: Tombstone[] = [];
  let before = { file: '', line: 0 };

  for (const [position, file] of files.entries()) {
    let line = 0;
    let last: AuditRecord | undefined;
    const read = await readLines(file.path, 0, (bytes) => {
      line += 1;
      const next = check.next(bytes);
      if (!next.ok) {
        const place = next.error.isLineBefore ? before : { file: file.name, line };
        broken = { ...place, reason: next.error.reason, message: next.error.message };
        return false;
      }
      last = next.value;
      first ??= { file: file.name, record: last };
      records += 1;
      before = { file: file.name, line };
      if (last.kind === 'tombstone') unsigned.push(...tombstoneOf(last));
      if (last.kind === 'checkpoint') {
        tombstones.push(...unsigned);
        unsigned = [];
      }
      return true;
    });
    broken ??= endProblem(file, files[position + 1], line, last, read.tornBytes);
    if (broken !== undefined) break;
    tornBytes = read.tornBytes;
  }
  return { first, report: { ...reportOf(chain, files, check, first), records, tornBytes, broken } };
}

function endProblem(
  file: ChainFile,
  next: ChainFile | undefined,
  lines: number,
  last: AuditRecord | undefined,
  tornBytes: number,
): AuditBreak | undefined {
  const announced = last && stringAt(last.fields, 'next');
  if (announced !== undefined && announced !== next?.name) {
    const message = `${announced} comes after this line, and is missing`;
    return { file: file.name, line: lines, reason: 'file_missing', message };
  }
  if (tornBytes === 0 || next === undefined) return undefined;
  return {
    file: file.name,
    line: lines + 1,
    reason: 'not_a_record',
    message: 'half a line, and a file after it',
  };
}

function reportOf(
  chain: string,
  files: readonly ChainFile[],
  check: ChainCheck,
  first: WalkedChain['first'],
): Omit<ChainReport, 'records' | 'tornBytes' | 'broken'> {
  return {
    chain,
    files: files.length,
    firstSeq: first?.record.seq,
    firstTime: first?.record.time,
    lastCheckpoint: check.lastCheckpoint(),
    unanchored: check.unanchored(),
    isShortened: false,
  };
}

function tombstoneOf(record: AuditRecord): readonly Tombstone[] {
  const of = stringAt(record.fields, 'of');
  const head = stringAt(record.fields, 'head');
  const keptFrom = record.fields.kept_from;
  if (of === undefined || head === undefined || typeof keptFrom !== 'number') return [];
  return [{ of, head, keptFrom }];
}

function accountsFor(tombstone: Tombstone, first: AuditRecord): boolean {
  if (tombstone.of !== first.chain || first.seq > tombstone.keptFrom) return false;
  return first.seq < tombstone.keptFrom || first.prev === tombstone.head;
}
