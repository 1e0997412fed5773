import { limits } from '#kernel/limits.ts';
import type { AuditFile } from './audit-file.ts';

/** When a record counts as kept: written and synced with its checkpoint, its batch, or before its call is answered. */
export type Durability = 'checkpoint' | 'batch' | 'call';

/** Puts lines into files, in order, off the request path. */
export interface AuditWriter {
  /** Takes a line without its newline. `mustSync` asks for a sync after it under every durability. */
  append(line: string, mustSync: boolean): void;
  /**
   * What is appended next is the last line of this file; `open` makes the file after it. The new file exists before
   * that line is written, so a missing one is always a removed one.
   */
  rotate(open: () => Promise<AuditFile>, lastLine: string): void;
  /** Resolves with true when everything appended so far is on the disk, with false as soon as that failed. */
  settled(): Promise<boolean>;
  isFailing(): boolean;
  /** Characters in memory: not written, or not synced. */
  pending(): number;
  /** Writes what there is, tries once more if it must, and closes the file. False: lines were lost. */
  close(): Promise<boolean>;
}

export interface AuditWriterEvents {
  failed(error: unknown, path: string): void;
  /** Writing works again; everything from the time between is still in memory and is being written. */
  recovered(): void;
}

type Item =
  | { readonly kind: 'line'; readonly text: string; readonly mustSync: boolean }
  | { readonly kind: 'prepare'; readonly open: () => Promise<AuditFile> }
  | { readonly kind: 'switch' };

/** Bytes with their place in the file, kept until they are synced. */
interface Chunk {
  readonly start: number;
  readonly bytes: Buffer;
  readonly characters: number;
  /** The number of the chunk's last line, over the writer's life. */
  readonly lastLine: number;
  readonly mustSync: boolean;
}

const maxChunkLines = 4_096;

/**
 * A writer at the end of `file`. Writing and syncing overlap: a slow sync delays no write, and lines that arrive
 * while one runs share the next. After a failed write the torn part is cut off; after a failed sync everything not
 * yet synced is written again, because the system may have dropped it. Both are tried every second.
 */
export function createAuditWriter(options: {
  readonly file: AuditFile;
  readonly size: number;
  readonly durability: Durability;
  /** Sees every line once, newline included, before the file does. */
  readonly copy: ((lines: string) => void) | undefined;
  readonly events: AuditWriterEvents;
}): AuditWriter {
  const { durability, events, copy } = options;
  let file = options.file;
  let nextFile: AuditFile | undefined;
  let end = options.size;

  const queue: Item[] = [];
  const chunks: Chunk[] = [];
  /** How many of `chunks` are written. */
  let written = 0;
  let pending = 0;
  let appendedLines = 0;
  let takenLines = 0;
  let syncedLines = 0;
  let waiters: { readonly line: number; readonly settle: (isKept: boolean) => void }[] = [];

  let isDue = false;
  let isFailing = false;
  let isClosed = false;
  /** Counts failures: work that began before one does not go on after it. */
  let failures = 0;
  let pumping: Promise<void> | undefined;
  let syncing: Promise<void> | undefined;
  let isSyncWanted = false;
  let batchTimer: ReturnType<typeof setTimeout> | undefined;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;

  function fail(error: unknown): void {
    failures += 1;
    isFailing = true;
    const unsettled = waiters;
    waiters = [];
    for (const waiter of unsettled) waiter.settle(false);
    if (isClosed) return;
    events.failed(error, file.path);
    clearTimeout(retryTimer);
    retryTimer = setTimeout(() => void tryAgain(), limits.auditRetryMs).unref();
  }

  async function idle(): Promise<void> {
    while (pumping !== undefined || syncing !== undefined) await Promise.all([pumping, syncing]);
  }

  async function tryAgain(): Promise<void> {
    await idle();
    isDue = true;
    startPump();
    if (written > 0) startSync();
  }

  function wake(): void {
    if (isFailing) return;
    if (isDue || durability === 'call' || queue.length >= limits.auditBatchRecords) {
      isDue = true;
      startPump();
      return;
    }
    batchTimer ??= setTimeout(() => {
      batchTimer = undefined;
      isDue = true;
      startPump();
    }, limits.auditBatchMs).unref();
  }

  function startPump(): void {
    if (pumping !== undefined) return;
    const before = failures;
    pumping = pump()
      .catch(fail)
      .finally(() => {
        pumping = undefined;
        if (failures === before && queue.length > 0) wake();
      });
  }

  async function pump(): Promise<void> {
    const before = failures;
    // Records of the same turn go into one write.
    await Promise.resolve();
    while (failures === before) {
      const chunk = chunks[written] ?? takeChunk();
      if (chunk !== undefined) {
        await writeChunk(chunk);
        if (failures !== before) return;
        written += 1;
        if (chunk.mustSync || isFailing || waiters.length > 0) startSync();
        continue;
      }
      const item = queue[0];
      if (item === undefined || item.kind === 'line') return;
      if (item.kind === 'prepare') nextFile ??= await item.open();
      else await switchFile(before);
      if (failures === before) queue.shift();
    }
  }

  async function writeChunk(chunk: Chunk): Promise<void> {
    try {
      await file.write(chunk.bytes, chunk.start);
    } catch (error) {
      // A reader must not meet half a line; if even this fails, the next try writes over it.
      await file.truncate(chunk.start).catch(() => {});
      throw error;
    }
  }

  /** Takes queued lines into a chunk, if a batch is due; the lines before a change of file end one. */
  function takeChunk(): Chunk | undefined {
    if (!isDue && queue.length < limits.auditBatchRecords) return undefined;
    let count = 0;
    let text = '';
    let mustSync = durability !== 'checkpoint';
    for (const item of queue) {
      if (item.kind !== 'line' || count === maxChunkLines) break;
      text += `${item.text}\n`;
      mustSync ||= item.mustSync;
      count += 1;
    }
    if (count === 0) {
      isDue &&= queue.length > 0;
      return undefined;
    }
    queue.splice(0, count);
    takenLines += count;
    copy?.(text);
    const bytes = Buffer.from(text);
    const chunk = { start: end, bytes, characters: text.length, lastLine: takenLines, mustSync };
    end += bytes.length;
    chunks.push(chunk);
    if (queue.length === 0) isDue = false;
    return chunk;
  }

  async function switchFile(before: number): Promise<void> {
    while (chunks.length > 0) {
      startSync();
      await syncing;
      if (failures !== before) return;
    }
    await file.close().catch(() => {});
    if (nextFile !== undefined) file = nextFile;
    nextFile = undefined;
    end = 0;
  }

  function startSync(): void {
    isSyncWanted = true;
    syncing ??= sync()
      .catch((error) => {
        // Pages that failed to reach the disk may be marked clean: only writing them again makes a sync mean anything.
        written = 0;
        fail(error);
      })
      .finally(() => {
        syncing = undefined;
        if (isSyncWanted && !isFailing) startSync();
      });
  }

  async function sync(): Promise<void> {
    while (isSyncWanted) {
      isSyncWanted = false;
      const last = chunks[written - 1];
      if (last === undefined) return;
      await file.sync();
      const kept = chunks.splice(0, chunks.indexOf(last) + 1);
      written = Math.max(0, written - kept.length);
      for (const chunk of kept) pending -= chunk.characters;
      syncedLines = last.lastLine;
      const settled = waiters.filter((waiter) => waiter.line <= syncedLines);
      if (settled.length > 0) waiters = waiters.filter((waiter) => waiter.line > syncedLines);
      for (const waiter of settled) waiter.settle(true);
      if (isFailing) {
        isFailing = false;
        events.recovered();
        if (queue.length > 0) wake();
      }
    }
  }

  function settled(): Promise<boolean> {
    if (syncedLines === appendedLines) return Promise.resolve(true);
    if (isFailing) return Promise.resolve(false);
    return new Promise((settle) => {
      waiters.push({ line: appendedLines, settle });
      isDue = true;
      if (queue.length > 0) startPump();
      if (written > 0) startSync();
    });
  }

  const append = (text: string, mustSync: boolean): void => {
    queue.push({ kind: 'line', text, mustSync });
    pending += text.length + 1;
    appendedLines += 1;
    wake();
  };

  return {
    append,
    rotate(open, lastLine) {
      queue.push({ kind: 'prepare', open });
      append(lastLine, true);
      queue.push({ kind: 'switch' });
      isDue = true;
      wake();
    },
    settled,
    isFailing: () => isFailing,
    pending: () => pending,
    async close() {
      clearTimeout(batchTimer);
      const isKept = await settled();
      isClosed = true;
      clearTimeout(retryTimer);
      if (!isKept) await tryAgain();
      await idle();
      clearTimeout(batchTimer);
      await file.close().catch(() => {});
      await nextFile?.close().catch(() => {});
      return syncedLines === appendedLines;
    },
  };
}
