import type { Clock } from '#kernel/clock.ts';
import type { JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Signer } from '#keys/signer.ts';
import type { Anchors } from './anchors.ts';
import { createAuditFile } from './audit-file.ts';
import { callFields } from './call-fields.ts';
import type { CallIndex } from './call-index.ts';
import { createChain } from './chain.ts';
import { chainFile } from './files.ts';
import type { AuditKind, SignedKind } from './line.ts';
import { openChain } from './open-chain.ts';
import type { Pseudonyms } from './pseudonyms.ts';
import type { RecentRecord } from './recent-records.ts';
import type { AuditPort, CallFacts } from './record.ts';
import { applyRetention } from './retention.ts';
import { createAuditWriter, type Durability } from './writer.ts';

const dayMs = 24 * 3_600_000;

/** The audit of one process: the port of the request path, acts of operators, and its end. */
export interface AuditLog extends AuditPort {
  /**
   * Appends an act that is no call, such as `admin` with `{action, actor}`; fields are flat and hold no secret.
   * Resolves with true once it is on the disk, whatever the durability.
   */
  act(kind: 'admin' | 'link' | 'reveal', fields: JsonObject): Promise<boolean>;
  /** How it goes, at this moment. */
  status(): AuditStatus;
  /** Signs the end of the chain, writes everything and lets go of the chain. */
  close(): Promise<void>;
}

/** Of the chain that this process writes. */
export interface AuditStatus {
  readonly chain: string;
  /** Of the last record. */
  readonly seq: number;
  /** Records after the last checkpoint. */
  readonly unanchored: number;
  /** Milliseconds since the epoch; undefined while records can be written. */
  readonly failingSince: number | undefined;
  /** Records that did not fit into memory meanwhile. */
  readonly lost: number;
  readonly anchors: ReturnType<Anchors['status']>;
}

export interface AuditOptions {
  readonly dir: string;
  readonly durability: Durability;
  /** What is refused while records cannot be written. */
  readonly onFailure: 'deny-writes' | 'deny-all' | 'continue';
  readonly rotateBytes: number;
  readonly retentionMs: number;
  readonly signer: Signer;
  readonly pseudonyms: Pseudonyms;
  readonly clock: Clock;
  readonly log: Log;
  /** Gets every line as well, newline included. */
  readonly copy: ((lines: string) => void) | undefined;
  /** Is told of every call, and closed with the audit. */
  readonly index?: CallIndex;
  /** Is told of every record as it is made, whether it can be written or not. */
  readonly watch?: (record: RecentRecord) => void;
  /** Gets every checkpoint once it is on the disk, and is closed with the audit. */
  readonly anchors?: Anchors;
}

/** Opens the audit: goes on with a chain of the folder or begins one. Throws where the folder cannot be written. */
export async function openAuditLog(options: AuditOptions): Promise<AuditLog> {
  const { dir, durability, onFailure, rotateBytes, signer, pseudonyms, clock, log } = options;
  const opened = await openChain(dir, signer, log);
  const chain = createChain(opened.head, signer);
  const { chain: chainId } = opened.head;
  let { index, size: fileBytes } = opened;
  let fileDay = dayOf(opened.lastTime ?? clock.now());
  let lost = 0;
  let failedAt: number | undefined;
  let complainedAt: number | undefined;
  let isClosing = false;
  let isClosed = false;
  let checkpointTimer: ReturnType<typeof setTimeout> | undefined;
  let sweeping: Promise<void> = Promise.resolve();
  const naming = new Set<Promise<boolean>>();
  let unshipped: string | undefined;

  const writer = createAuditWriter({
    file: opened.file,
    size: opened.size,
    durability,
    copy: guardedCopy(options.copy, log),
    events: {
      failed(error, path) {
        failedAt ??= clock.now();
        complain('audit.write_failed', { path, error: error instanceof Error ? error.message : 'unknown' });
      },
      recovered() {
        const since = new Date(failedAt ?? clock.now()).toISOString();
        failedAt = undefined;
        complainedAt = undefined;
        log.warn('audit.recovered', { since, lost });
        if (!isClosed) append('admin', { action: 'audit.recovered', actor: 'gateway', since });
      },
    },
  });

  /** Loud, but not once a record. */
  function complain(event: string, fields: Readonly<Record<string, string>>): void {
    const now = clock.now();
    if (complainedAt !== undefined && now - complainedAt < 60_000) return;
    complainedAt = now;
    log.error(event, { ...fields, policy: onFailure, pending_characters: writer.pending(), lost });
  }

  function append(kind: Exclude<AuditKind, SignedKind>, fields: JsonObject, path?: CallFacts['path']): void {
    const now = turnFile();
    const line = chain.append(kind, now, fields);
    if (kind === 'call') options.index?.add(chainId, chain.seq(), now, fields);
    options.watch?.({ kind, seq: chain.seq(), time: now, fields, path });
    write(line);
  }

  /** Begins a new file where it is time for one; returns the time of the record that comes next. */
  function turnFile(): number {
    const now = clock.now();
    if (fileBytes > 0 && (fileBytes >= rotateBytes || dayOf(now) !== fileDay)) rotate(now);
    fileDay = dayOf(now);
    return now;
  }

  function write(line: string): void {
    fileBytes += Buffer.byteLength(line) + 1;
    writer.append(line, false);
    if (chain.unanchored() >= limits.auditCheckpointRecords) sign();
    checkpointTimer ??= setTimeout(sign, limits.auditCheckpointMs).unref();
  }

  function sign(): void {
    clearTimeout(checkpointTimer);
    checkpointTimer = undefined;
    if (chain.unanchored() === 0) return;
    const line = chain.checkpoint(clock.now(), {});
    fileBytes += Buffer.byteLength(line) + 1;
    writer.append(line, true);
    shipWhenKept(line);
  }

  function rotate(now: number): void {
    index += 1;
    const next = chainFile(dir, chainId, index);
    const line = chain.checkpoint(now, { next: next.name });
    writer.rotate(() => createAuditFile(next.path), line);
    fileBytes = 0;
    shipWhenKept(line);
    sweep();
  }

  /** A checkpoint that a crash took back would, kept elsewhere, accuse the files: only one on the disk leaves. */
  function shipWhenKept(line: string): void {
    if (options.anchors === undefined) return;
    unshipped = line;
    void writer.settled().then((isKept) => isKept && ship(line));
  }
  function ship(line: string): void {
    options.anchors?.ship(line);
    if (unshipped === line) unshipped = undefined;
  }

  function sweep(): void {
    if (isClosing) return;
    sweeping = sweeping
      .then(removeExpired)
      .catch((error) =>
        log.error('audit.retention_failed', { error: error instanceof Error ? error.message : 'unknown' }),
      );
  }

  async function removeExpired(): Promise<void> {
    const ownIndex = index;
    const before = clock.now() - options.retentionMs;
    // The files before this one are complete on the disk only now.
    if (!(await writer.settled())) return;
    await applyRetention({
      dir,
      before,
      ownChain: chainId,
      ownIndex,
      bury({ chain: of, keptFrom, head, lastTime }) {
        const bounds = { last_time: lastTime, before: new Date(before).toISOString() };
        const fields = { of, kept_from: keptFrom, head, ...bounds, reason: 'retention' };
        write(chain.tombstone(turnFile(), fields));
        sign();
        return writer.settled();
      },
    });
  }

  const isFull = () => writer.pending() > limits.maxAuditPendingBytes;
  function lose(): void {
    lost += 1;
    complain('audit.record_lost', {});
  }
  function confess(): void {
    if (lost === 0) return;
    append('admin', { action: 'audit.records_lost', actor: 'gateway', count: lost });
    lost = 0;
  }

  function mayAnswer(facts: CallFacts): boolean {
    if (onFailure === 'continue') return true;
    return onFailure === 'deny-writes' && (facts.isReadOnly ?? facts.method !== 'tools/call');
  }
  function put(facts: CallFacts, user: string | undefined): Promise<boolean> | boolean {
    if (isFull()) {
      lose();
      return mayAnswer(facts);
    }
    confess();
    const params = facts.params === undefined ? undefined : pseudonyms.fingerprint(facts.params);
    append('call', callFields(facts, user, params), facts.path);
    if (durability !== 'call') return true;
    return writer.settled().then((isKept) => isKept || mayAnswer(facts));
  }

  if (chain.unanchored() > 0) sign();
  append('admin', {
    action: 'audit.opened',
    actor: 'gateway',
    unanchored: opened.head.unanchored,
    cut_bytes: opened.cutBytes,
  });
  if (opened.cutBytes > 0) log.warn('audit.torn_end_cut', { chain: chainId, bytes: opened.cutBytes });
  sweep();
  const catchingUp = options.index?.catchUp(dir);
  const sweepTimer = setInterval(sweep, limits.auditRetentionSweepMs).unref();

  return {
    admits(isReadOnly) {
      if (!writer.isFailing() && !isFull()) return true;
      return onFailure === 'continue' || (onFailure === 'deny-writes' && isReadOnly);
    },
    record(facts) {
      if (isClosed) return false;
      const user = facts.principal && pseudonyms.of(facts.principal);
      if (user === undefined || typeof user === 'string') return put(facts, user);
      const later = user.then((name) => put(facts, name));
      naming.add(later);
      void later.finally(() => naming.delete(later));
      return later;
    },
    act(kind, fields) {
      if (isClosed) return Promise.resolve(false);
      append(kind, fields);
      return writer.settled();
    },
    status: () => ({
      chain: chainId,
      seq: chain.seq(),
      unanchored: chain.unanchored(),
      failingSince: failedAt,
      lost,
      anchors: options.anchors?.status() ?? [],
    }),
    async close() {
      if (isClosing) return;
      isClosing = true;
      clearInterval(sweepTimer);
      await Promise.all(naming);
      await sweeping;
      isClosed = true;
      confess();
      sign();
      clearTimeout(checkpointTimer);
      const isKept = await writer.close();
      if (!isKept) log.error('audit.records_lost_at_close', { pending_characters: writer.pending() });
      else if (unshipped !== undefined) ship(unshipped);
      await options.anchors?.close();
      await options.index?.close();
      await catchingUp;
      opened.lock.release();
    },
  };
}

/** A copy that fails (a closed pipe) must not stop the audit; it is said once. */
function guardedCopy(
  copy: ((lines: string) => void) | undefined,
  log: Log,
): ((lines: string) => void) | undefined {
  if (copy === undefined) return undefined;
  let hasFailed = false;
  return (lines) => {
    try {
      copy(lines);
    } catch (error) {
      if (!hasFailed)
        log.error('audit.copy_failed', { error: error instanceof Error ? error.message : 'unknown' });
      hasFailed = true;
    }
  };
}

function dayOf(time: number): number {
  return Math.floor(time / dayMs);
}
