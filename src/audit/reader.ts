import { existsSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Verifier } from '#keys/signer.ts';
import { type ChainBreak, type ChainCheck, createChainCheck } from './chain-check.ts';
import { type ChainFile, lastTime, listChains, readLines } from './files.ts';
import { type AuditRecord, parseAuditLine } from './line.ts';

/** What to show; an absent field shows everything. Checkpoints are never shown, only checked. */
export interface AuditFilter {
  /** A pseudonym. */
  readonly user: string | undefined;
  readonly tool: string | undefined;
  readonly backend: string | undefined;
  readonly outcome: string | undefined;
  /** Milliseconds since the epoch. */
  readonly since: number | undefined;
  /** Milliseconds since the epoch; excluded. */
  readonly until: number | undefined;
}

/** A record, or a place where the chain does not hold; reading goes on after it. */
export type AuditEvent =
  | { readonly kind: 'record'; readonly record: AuditRecord }
  | { readonly kind: 'break'; readonly file: string; readonly line: number; readonly problem: ChainBreak };

const linesPerRead = 1_000;
const pollMs = 200;

/**
 * The records of all chains of a folder, by time, across changes of file. With `last`, only that many of those that
 * are there; with `follow`, also what comes after, until `signal` aborts. Checks the chain over what it reads, so an
 * older break is for `verifyAudit` to find.
 */
export async function* readAudit(options: {
  readonly dir: string;
  readonly filter: AuditFilter;
  readonly last: number | undefined;
  readonly follow: boolean;
  /** Undefined: signatures are not looked at. */
  readonly verifier: Verifier | undefined;
  readonly signal: AbortSignal;
}): AsyncGenerator<AuditEvent> {
  const { dir, filter, last, verifier, signal } = options;
  const cursors = new Map<string, Cursor>();
  for (const files of listChains(dir).values()) {
    const start = await startFile(files, filter, last);
    if (start !== undefined) cursors.set(start.chain, cursorAt(start, verifier));
  }
  yield* lastOf(
    last,
    merged([...cursors.values()].map((cursor) => newEvents(dir, cursor, filter, verifier))),
  );
  while (options.follow && !signal.aborted) {
    await sleep(pollMs, undefined, { signal }).catch(() => {});
    for (const [chain, files] of listChains(dir)) {
      if (files[0] !== undefined && !cursors.has(chain)) cursors.set(chain, cursorAt(files[0], verifier));
    }
    yield* merged([...cursors.values()].map((cursor) => newEvents(dir, cursor, filter, verifier)));
  }
}

interface Cursor {
  file: ChainFile;
  /** Bytes and lines read of `file`. */
  offset: number;
  line: number;
  check: ChainCheck;
}

function cursorAt(file: ChainFile, verifier: Verifier | undefined): Cursor {
  return { file, offset: 0, line: 0, check: createChainCheck(file.chain, verifier) };
}

/** The events of one chain from the cursor to the end of what is written. */
async function* newEvents(
  dir: string,
  cursor: Cursor,
  filter: AuditFilter,
  verifier: Verifier | undefined,
): AsyncGenerator<AuditEvent> {
  let mayMove = false;
  for (;;) {
    // Retention may have removed a file that was still being read.
    const kept = existsSync(cursor.file.path) ? cursor.file : filesAfter(dir, cursor)[0];
    if (kept === undefined) return;
    if (kept !== cursor.file) Object.assign(cursor, cursorAt(kept, verifier));
    const lines: Buffer[] = [];
    const { end } = await readLines(cursor.file.path, cursor.offset, (line) => {
      return lines.length < linesPerRead && lines.push(line) > 0;
    });
    cursor.offset = end;
    for (const line of lines) yield* eventsOf(line, cursor, filter, verifier);
    if (lines.length > 0) {
      mayMove = false;
      continue;
    }
    const [next] = filesAfter(dir, cursor);
    // The next file exists before this one's last line is written, but gets its first only after it.
    if (next === undefined || statSync(next.path).size === 0) return;
    if (mayMove) Object.assign(cursor, { file: next, offset: 0, line: 0 });
    mayMove = !mayMove;
  }
}

function filesAfter(dir: string, { file }: Cursor): readonly ChainFile[] {
  return (listChains(dir).get(file.chain) ?? []).filter((other) => other.index > file.index);
}

function* eventsOf(
  line: Buffer,
  cursor: Cursor,
  filter: AuditFilter,
  verifier: Verifier | undefined,
): Generator<AuditEvent> {
  cursor.line += 1;
  const next = cursor.check.next(line);
  if (next.ok) {
    if (matches(next.value, filter)) yield { kind: 'record', record: next.value };
    return;
  }
  const place = cursor.line - (next.error.isLineBefore && cursor.line > 1 ? 1 : 0);
  yield { kind: 'break', file: cursor.file.name, line: place, problem: next.error };
  cursor.check = createChainCheck(cursor.file.chain, verifier);
  const record = cursor.check.next(line);
  if (record.ok && matches(record.value, filter)) yield { kind: 'record', record: record.value };
}

/** Whether a record is shown; checkpoints are not. */
export function matches(record: AuditRecord, filter: AuditFilter): boolean {
  const { fields } = record;
  if (record.kind === 'checkpoint') return false;
  if (filter.user !== undefined && fields.user !== filter.user) return false;
  if (filter.tool !== undefined && fields.tool !== filter.tool) return false;
  if (filter.backend !== undefined && fields.backend !== filter.backend) return false;
  if (filter.outcome !== undefined && fields.outcome !== filter.outcome) return false;
  if (filter.until !== undefined && Date.parse(record.time) >= filter.until) return false;
  return filter.since === undefined || Date.parse(record.time) >= filter.since;
}

/** The newest file from which everything asked for can be read: files before it hold nothing of it. */
async function startFile(
  files: readonly ChainFile[],
  filter: AuditFilter,
  last: number | undefined,
): Promise<ChainFile | undefined> {
  let start: ChainFile | undefined;
  let found = 0;
  for (const file of files.toReversed()) {
    if (filter.since !== undefined && start !== undefined && (await lastTime(file.path)) < filter.since)
      break;
    start = file;
    if (last === undefined) continue;
    await readLines(file.path, 0, (line) => {
      const record = parseAuditLine(line);
      if (record.ok && matches(record.value, filter)) found += 1;
      return true;
    });
    if (found >= last) break;
  }
  return start;
}

/** The events of several chains as one sequence, by the time of their records; a break comes as it is met. */
async function* merged(chains: readonly AsyncGenerator<AuditEvent>[]): AsyncGenerator<AuditEvent> {
  const heads: { readonly event: AuditEvent; readonly chain: AsyncGenerator<AuditEvent> }[] = [];
  const pull = async (chain: AsyncGenerator<AuditEvent>) => {
    const next = await chain.next();
    if (!next.done) heads.push({ event: next.value, chain });
  };
  for (const chain of chains) await pull(chain);
  while (heads.length > 0) {
    heads.sort((a, b) => (timeOf(a.event) < timeOf(b.event) ? -1 : 1));
    const head = heads.shift();
    if (head === undefined) return;
    yield head.event;
    await pull(head.chain);
  }
}

function timeOf(event: AuditEvent): string {
  return event.kind === 'record' ? event.record.time : '';
}

async function* lastOf(
  count: number | undefined,
  events: AsyncGenerator<AuditEvent>,
): AsyncGenerator<AuditEvent> {
  if (count === undefined) {
    yield* events;
    return;
  }
  let kept: AuditEvent[] = [];
  for await (const event of events) {
    if (event.kind === 'break') yield event;
    else kept.push(event);
    if (kept.length > 2 * count + 1_000) kept = kept.slice(-count);
  }
  yield* count === 0 ? [] : kept.slice(-count);
}
