import { existsSync, mkdirSync, unlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { stringAt } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { DeferredVerifier } from '#keys/deferred-verifier.ts';
import type { Signer } from '#keys/signer.ts';
import { type ProcessLock, tryLock } from '#store/process-lock.ts';
import { type AuditFile, createAuditFile, openAuditFile } from './audit-file.ts';
import { type ChainHead, newChainHead } from './chain.ts';
import { badSignature, type ChainBreak, createChainCheck, isFirstOfChain } from './chain-check.ts';
import { type ChainFile, chainFile, lastLine, listChains, lockPath, readLines } from './files.ts';
import { parseAuditLine } from './line.ts';

/** A chain this process alone may write, at its end. */
export interface OpenChain {
  readonly lock: ProcessLock;
  readonly head: ChainHead;
  readonly file: AuditFile;
  readonly index: number;
  readonly size: number;
  /** Milliseconds since the epoch of the last record in the file; undefined where it has none. */
  readonly lastTime: number | undefined;
  /** Bytes cut off its end: half a line that a killed process or a full disk left. */
  readonly cutBytes: number;
}

/** How much of a file's end a start reads until it holds a checkpoint; the last is enough for 1,000 records. */
const windows: readonly [number, ...number[]] = [4 * 1024, 64 * 1024, 768 * 1024, 4 * 1024 * 1024];

/**
 * Goes on with a chain of the folder that no process holds, or begins a new one. A chain whose end does not hold is
 * left as it is, for `audit verify` to show, and reported to the log.
 */
export async function openChain(dir: string, signer: Pick<Signer, 'deferred'>, log: Log): Promise<OpenChain> {
  const verifier = await signer.deferred();
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const chain of listChains(dir).keys()) {
    const lock = tryLock(lockPath(dir, chain));
    if (lock === undefined) continue;
    try {
      const opened = await goOn(dir, chain, verifier);
      if (opened.ok) return { lock, ...opened.value };
      log.error('audit.chain_broken', { chain, reason: opened.error.reason, detail: opened.error.message });
    } catch (error) {
      lock.release();
      throw error;
    }
    lock.release();
  }
  return begin(dir);
}

async function begin(dir: string): Promise<OpenChain> {
  const chain = Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString('hex');
  const lock = tryLock(lockPath(dir, chain));
  if (lock === undefined) throw new Error('a new audit chain is locked already');
  try {
    const file = await createAuditFile(chainFile(dir, chain, 1).path);
    return { lock, head: newChainHead(chain), file, index: 1, size: 0, lastTime: undefined, cutBytes: 0 };
  } catch (error) {
    lock.release();
    throw error;
  }
}

type Tail = Omit<OpenChain, 'lock'>;

async function goOn(
  dir: string,
  chain: string,
  verifier: DeferredVerifier,
): Promise<Result<Tail, ChainBreak>> {
  // Listed again: the process that held the lock before may have added or removed files.
  const files = [...(listChains(dir).get(chain) ?? [])];
  let last = files.at(-1);
  let cutBytes = 0;
  while (last !== undefined) {
    const tail = await checkTail(last, verifier);
    if (!tail.ok) return tail;
    const { head, end, size, time } = tail.value;
    cutBytes += size - end;
    if (head !== undefined) return ok(await reopen(last, { ...head, chain }, end, size, time, cutBytes));
    const before = files.at(-2);
    const isAnnounced = before !== undefined && (await announces(before)) === last.name;
    if (isAnnounced) {
      const headBefore = await checkTail(before, verifier);
      if (!headBefore.ok) return headBefore;
      const start = headBefore.value.head;
      if (start !== undefined)
        return ok(await reopen(last, { ...start, chain }, 0, size, undefined, cutBytes));
    }
    if (before === undefined)
      return ok(await reopen(last, newChainHead(chain), 0, size, undefined, cutBytes));
    // A change of file was cut short before the file before announced this one: it goes on there.
    unlinkSync(last.path);
    files.pop();
    last = before;
  }
  const file = await createAuditFile(chainFile(dir, chain, 1).path);
  return ok({ head: newChainHead(chain), file, index: 1, size: 0, lastTime: undefined, cutBytes });
}

async function reopen(
  at: ChainFile,
  head: ChainHead,
  end: number,
  size: number,
  lastTime: number | undefined,
  cutBytes: number,
): Promise<Tail> {
  const file = await openAuditFile(at.path);
  if (end < size) await file.truncate(end);
  return { head, file, index: at.index, size: end, lastTime, cutBytes };
}

interface CheckedTail {
  /** Undefined where the file has no complete line. */
  readonly head: Omit<ChainHead, 'chain'> | undefined;
  /** Where the last good line ends. */
  readonly end: number;
  readonly size: number;
  readonly time: number | undefined;
  /** A checkpoint was among what was read. */
  readonly isAnchored: boolean;
}

const zerosBeforeCheckpoint: ChainBreak = {
  reason: 'not_a_record',
  message: 'zeros stand before a checkpoint',
  isLineBefore: false,
};

/** Checks the records since the last checkpoint of a file, and says where they end. */
async function checkTail(
  file: ChainFile,
  verifier: DeferredVerifier,
): Promise<Result<CheckedTail, ChainBreak>> {
  const { size } = await stat(file.path);
  let [read, ...wider] = windows;
  let tail = await checkFrom(file, verifier, size, Math.max(0, size - read));
  for (const window of wider) {
    if (size <= read || (tail.ok && tail.value.isAnchored)) break;
    read = window;
    tail = await checkFrom(file, verifier, size, Math.max(0, size - window));
  }
  return tail;
}

async function checkFrom(
  file: ChainFile,
  verifier: DeferredVerifier,
  size: number,
  from: number,
): Promise<Result<CheckedTail, ChainBreak>> {
  const check = createChainCheck(file.chain, verifier);
  let problem: ChainBreak | undefined;
  let skipsFirst = from > 0;
  let isPastZeros = false;
  let end: number | undefined;
  let position = from;
  let time: number | undefined;
  const read = await readLines(file.path, from, (line) => {
    const start = position;
    position += line.length + 1;
    if (skipsFirst) {
      skipsFirst = false;
      return true;
    }
    // Zeros are what a power cut leaves of pages that were not synced: they and what follows go, unless a checkpoint
    // follows, because then somebody wrote them.
    if (isPastZeros || line.includes(0)) {
      end ??= start;
      isPastZeros = true;
      if (line.includes('"kind":"checkpoint"')) problem = zerosBeforeCheckpoint;
      return problem === undefined;
    }
    const next = check.next(line);
    if (!next.ok) {
      problem = next.error;
      return false;
    }
    time = Date.parse(next.value.time);
    if (next.value.seq === 1 && !isFirstOfChain(next.value)) {
      problem = {
        reason: 'edited',
        message: 'the first record does not begin this chain',
        isLineBefore: false,
      };
    }
    return problem === undefined;
  });
  // Whatever was signed stands before the place of another problem.
  if (!(await verifier.holds())) return err(badSignature('checkpoint or tombstone'));
  if (problem !== undefined) return err(problem);
  const head = check.head();
  if (head === undefined) return ok({ head, end: 0, size, time: undefined, isAnchored: false });
  const isAnchored = check.lastCheckpoint() !== undefined;
  return ok({
    head: { ...head, unanchored: check.unanchored() },
    end: end ?? read.end,
    size,
    time,
    isAnchored,
  });
}

/** The file that the last checkpoint of `file` says comes next. */
async function announces(file: ChainFile): Promise<string | undefined> {
  const line = existsSync(file.path) ? await lastLine(file.path) : undefined;
  const record = line === undefined ? undefined : parseAuditLine(line);
  return record?.ok ? stringAt(record.value.fields, 'next') : undefined;
}
