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
import { type ChainFile, lastLine, listChains, readLines } from './files.ts';
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

export function createCallIndex(deps: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Shorter than what the index keeps by itself counts. */
  readonly retentionMs: number;
}): CallIndex {
  const { store, clock, log } = deps;
  const keepMs = Math.min(deps.retentionMs, limits.auditIndexKeepMs);
  let pending = new Map<string, AuditCallRow[]>();
  let marks = new Map<string, number>();
  /** Added since a user was last trimmed. */
  const added = new Map<string, number>();
  /** While it is behind, a mark would hide what is still missing. */
  let isBehind = true;
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();
  let nextSweep = 0;

  function take(call: AuditCallRow): void {
    const calls = pending.get(call.user);
    if (calls === undefined) pending.set(call.user, [call]);
    else if (calls.push(call) > perUser) calls.shift();
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
    const calls = [...pending.values()].flat();
    const full = [...pending].filter(([user, { length }]) => isFull(user, length)).map(([user]) => user);
    const reached = isBehind ? new Map<string, number>() : marks;
    pending = new Map();
    marks = new Map();
    await addAuditCalls(store, { calls, full, perUser, marks: reached });
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
      let offset = 0;
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
          const call =
            record.value.kind === 'call' ? callOf(chain, reached, time, record.value.fields) : undefined;
          if (call !== undefined && time >= before) take(call);
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
      const call = callOf(chain, seq, time, fields);
      if (call === undefined || isClosed) return;
      if (pending.size >= limits.maxPseudonyms) void write();
      take(call);
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

function callOf(chain: string, seq: number, time: number, fields: JsonObject): AuditCallRow | undefined {
  const { user, method, ms } = fields;
  if (typeof user !== 'string' || typeof method !== 'string' || !methods.has(method)) return undefined;
  return {
    chain,
    seq,
    user,
    time,
    method,
    tool: stringAt(fields, 'tool'),
    backend: stringAt(fields, 'backend'),
    outcome: stringAt(fields, 'outcome') ?? '',
    code: stringAt(fields, 'code') ?? '',
    ms: typeof ms === 'number' ? ms : 0,
  };
}
