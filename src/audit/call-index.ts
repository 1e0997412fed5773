import type { Clock } from '#kernel/clock.ts';
import { type JsonObject, stringAt } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import {
  type AuditCallRow,
  addAuditCalls,
  eraseAuditCalls,
  listAuditCalls,
  loadAuditCallMarks,
  sweepAuditCalls,
} from '#store/audit-call-rows.ts';
import type { Store } from '#store/store.ts';
import { type ChainFile, lastLine, listChains, readLines, seekOld } from './files.ts';
import { parseAuditLine } from './line.ts';

/**
 * The recent calls, by who made them: derived from the audit, which stays what counts. Every row can be made again
 * from the files; none of them is signed.
 */
export interface CallIndex {
  /** The `fields` of a `call` record. Takes it to memory; written later, many at once. */
  add(chain: string, seq: number, time: number, fields: JsonObject): void;
  /** The calls of these pseudonyms, newest first. */
  recent(users: readonly string[], count: number): Promise<readonly AuditCallRow[]>;
  /** Copies what the files hold and the index does not: after a crash, or where the index is new. */
  catchUp(dir: string): Promise<void>;
  /** Erases what is known of these pseudonyms. */
  erase(users: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** What a person did, not what a client asks on its own account. */
const methods = new Set(['tools/call', 'prompts/get', 'resources/read']);
const perUser = limits.auditIndexedCallsPerUser;
const linesPerWrite = 2_000;
/** Between two of these the gateway does other things. */
const callsPerTransaction = 200;

/** A call as it was added: on the request path nothing is copied. */
interface Added {
  readonly chain: string;
  readonly seq: number;
  readonly time: number;
  readonly fields: JsonObject;
}
/** A person's last calls; the oldest gives way. */
interface Ring {
  readonly calls: Added[];
  next: number;
}

export function createCallIndex(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Shorter than what the index keeps by itself counts. */
  readonly retentionMs: number;
}): CallIndex {
  const { store, clock, log } = deps;
  const keepMs = Math.min(deps.retentionMs, limits.auditIndexKeepMs);
  let pending = new Map<string, Ring>();
  let marks = new Map<string, number>();
  /** Added since a user was last trimmed. */
  const added = new Map<string, number>();
  /** While it is behind, a mark would hide what is still missing. */
  let isBehind = true;
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();
  let nextSweep = 0;

  /** Whether it is a call that counts. */
  function take(call: Added): boolean {
    const { user, method } = call.fields;
    if (typeof user !== 'string' || typeof method !== 'string' || !methods.has(method)) return false;
    const ring = pending.get(user);
    if (ring === undefined) {
      pending.set(user, { calls: [call], next: 0 });
    } else if (ring.calls.length < perUser) {
      ring.calls.push(call);
    } else {
      ring.calls[ring.next] = call;
      ring.next = (ring.next + 1) % perUser;
    }
    return true;
  }

  function write(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(writeNow).catch((error: unknown) => {
      isBehind = true;
      log.error('audit.index_failed', { error: error instanceof Error ? error.message : 'unknown' });
    });
    return writing;
  }

  async function writeNow(): Promise<void> {
    if (pending.size === 0) return;
    const rings = [...pending];
    const reached = isBehind ? new Map<string, number>() : marks;
    pending = new Map();
    marks = new Map();
    for (let at = 0; at < rings.length; ) {
      const calls: AuditCallRow[] = [];
      const full: string[] = [];
      for (; at < rings.length && calls.length < callsPerTransaction; at += 1) {
        const [user, ring] = rings[at] ?? ['', { calls: [], next: 0 }];
        calls.push(...ring.calls.map(rowOf));
        if (isFull(user, ring.calls.length)) full.push(user);
      }
      const isLast = at >= rings.length;
      await addAuditCalls(store, { calls, full, perUser, marks: isLast ? reached : new Map() });
      if (!isLast) await new Promise((resolve) => setImmediate(resolve));
    }
    if (clock.now() < nextSweep) return;
    nextSweep = clock.now() + limits.auditRetentionSweepMs;
    await sweepAuditCalls(store, clock.now() - keepMs);
  }

  function isFull(user: string, more: number): boolean {
    const count = (added.get(user) ?? 0) + more;
    if (added.size >= limits.maxPseudonyms) added.clear();
    if (count < perUser) added.set(user, count);
    else added.delete(user);
    return count >= perUser;
  }

  async function catchUpChain(files: readonly ChainFile[], mark: number): Promise<void> {
    const before = clock.now() - keepMs;
    let chain = '';
    let reached = mark;
    let lines = 0;
    for (const file of await filesBehind(files, mark, before)) {
      let offset = await seekOld(file.path, (line) => seqOf(line) <= mark);
      for (let isMore = true; isMore && !isClosed; ) {
        isMore = false;
        const { end } = await readLines(file.path, offset, (line) => {
          if (lines >= linesPerWrite) {
            isMore = true;
            return false;
          }
          lines += 1;
          const record = parseAuditLine(line);
          if (!record.ok || record.value.seq <= mark) return true;
          chain = record.value.chain;
          reached = record.value.seq;
          const time = Date.parse(record.value.time);
          if (record.value.kind === 'call' && time >= before)
            take({ chain, seq: reached, time, fields: record.value.fields });
          return true;
        });
        offset = end;
        lines = 0;
        await write();
      }
    }
    if (chain !== '' && !isClosed)
      await addAuditCalls(store, { calls: [], full: [], perUser, marks: new Map([[chain, reached]]) });
  }

  return {
    add(chain, seq, time, fields) {
      if (isClosed || !take({ chain, seq, time, fields })) return;
      if (pending.size >= limits.maxPseudonyms) void write();
      marks.set(chain, seq);
      timer ??= setTimeout(write, limits.auditIndexWriteMs).unref();
    },

    async recent(users, count) {
      await write();
      return listAuditCalls(store, users, count);
    },

    async catchUp(dir) {
      try {
        const known = await loadAuditCallMarks(store);
        for (const [chain, files] of listChains(dir)) await catchUpChain(files, known.get(chain) ?? 0);
        isBehind = isClosed;
      } catch (error) {
        log.error('audit.index_failed', { error: error instanceof Error ? error.message : 'unknown' });
      }
    },

    async erase(users) {
      await write();
      await eraseAuditCalls(store, users);
    },

    async close() {
      isClosed = true;
      await write();
    },
  };
}

/** The files of a chain that may hold something after `mark` and not before `before`, in order. */
async function filesBehind(
  files: readonly ChainFile[],
  mark: number,
  before: number,
): Promise<readonly ChainFile[]> {
  const behind: ChainFile[] = [];
  for (const file of files.toReversed()) {
    const line = await lastLine(file.path);
    const last = line === undefined ? undefined : parseAuditLine(line);
    if (last?.ok === true && (last.value.seq <= mark || Date.parse(last.value.time) < before)) break;
    behind.unshift(file);
  }
  return behind;
}

function seqOf(line: Buffer): number {
  const record = parseAuditLine(line);
  return record.ok ? record.value.seq : Number.POSITIVE_INFINITY;
}

function rowOf({ chain, seq, time, fields }: Added): AuditCallRow {
  const { ms } = fields;
  return {
    chain,
    seq,
    time,
    user: stringAt(fields, 'user') ?? '',
    method: stringAt(fields, 'method') ?? '',
    tool: stringAt(fields, 'tool'),
    backend: stringAt(fields, 'backend'),
    outcome: stringAt(fields, 'outcome') ?? '',
    code: stringAt(fields, 'code') ?? '',
    ms: typeof ms === 'number' ? ms : 0,
  };
}
