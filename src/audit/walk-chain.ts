import { stringAt } from '#kernel/json.ts';
import type { Verifier } from '#keys/signer.ts';
import type { Anchor, AnchorLedger } from './anchor-ledger.ts';
import type { AuditBreak } from './audit-break.ts';
import { type ChainCheck, createChainCheck } from './chain-check.ts';
import { type ChainFile, listChains, readLines } from './files.ts';
import { type AuditRecord, hashLine } from './line.ts';

export interface ChainReport {
  readonly chain: string;
  readonly files: number;
  readonly records: number;
  readonly firstSeq: number | undefined;
  readonly firstTime: string | undefined;
  readonly lastCheckpoint: { readonly seq: number; readonly time: string } | undefined;
  /** The last checkpoint that stands here as it is kept elsewhere. */
  readonly lastAnchor: { readonly seq: number; readonly time: string } | undefined;
  /**
   * Records after the last checkpoint: linked, but whoever can write the file could have made them. Against anchors:
   * after the last anchor, because they could be cut off.
   */
  readonly unanchored: number;
  /** Bytes of half a line at the very end: being written, or left by a killed process. */
  readonly tornBytes: number;
  /** Retention removed what was before the first record. */
  readonly isShortened: boolean;
  /** The first place where it does not hold; what comes after it was not looked at. */
  readonly broken: AuditBreak | undefined;
}

/** What a tombstone that counts says. */
export interface Tombstone {
  readonly of: string;
  readonly keptFrom: number;
  readonly head: string;
  /** ISO 8601: what was older was due to go. */
  readonly before: string | undefined;
}
export interface Walk {
  readonly dir: string;
  readonly chain: string;
  readonly verifier: Verifier;
  /** Gets the tombstones that a checkpoint covers. */
  readonly tombstones: Tombstone[];
  readonly ledger: AnchorLedger | undefined;
}
export interface WalkedChain {
  readonly first: { readonly file: string; readonly record: AuditRecord } | undefined;
  readonly report: ChainReport;
}

const walkTries = 3;

/** Retention may remove files between listing and reading; then the chain is listed again. */
export async function walkChain(walk: Walk, tries: number = walkTries): Promise<WalkedChain> {
  try {
    return await walkFiles(walk, listChains(walk.dir).get(walk.chain) ?? []);
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!isGone || tries === 1) throw error;
    return walkChain(walk, tries - 1);
  }
}

async function walkFiles(walk: Walk, files: readonly ChainFile[]): Promise<WalkedChain> {
  const { chain, verifier, tombstones, ledger } = walk;
  const anchors = ledger?.chains.get(chain);
  let lastAnchor: Anchor | undefined;
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
      const anchor = anchors?.get(last.seq);
      if (anchor !== undefined && anchor.hash !== hashLine(bytes)) {
        const message = `the anchor at ${anchor.place} says that another record stood here`;
        broken = { ...before, reason: 'anchor_differs', message };
        return false;
      }
      lastAnchor = anchor ?? lastAnchor;
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
  broken ??= cutProblem(anchors, check.head()?.seq ?? 0, before);
  const report = reportOf(chain, files, check, first);
  const unanchored =
    ledger === undefined
      ? report.unanchored
      : (check.head()?.seq ?? 0) - (lastAnchor?.seq ?? firstSeqBefore(first));
  return { first, report: { ...report, lastAnchor, unanchored, records, tornBytes, broken } };
}

function firstSeqBefore(first: WalkedChain['first']): number {
  return first === undefined ? 0 : first.record.seq - 1;
}

/** An end that is no longer there, though a checkpoint beyond it was. */
function cutProblem(
  anchors: ReadonlyMap<number, Anchor> | undefined,
  lastSeq: number,
  end: { readonly file: string; readonly line: number },
): AuditBreak | undefined {
  const beyond = [...(anchors?.values() ?? [])].filter(({ seq }) => seq > lastSeq);
  const [nearest] = beyond.sort((one, other) => other.seq - one.seq);
  if (nearest === undefined) return undefined;
  const message = `the chain ends at record ${lastSeq}; the anchor at ${nearest.place} is record ${nearest.seq} of ${nearest.time}`;
  return { ...end, reason: 'end_missing', message };
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
): Omit<ChainReport, 'records' | 'tornBytes' | 'broken' | 'lastAnchor'> {
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
  return [{ of, head, keptFrom, before: stringAt(record.fields, 'before') }];
}
