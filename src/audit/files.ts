import { readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '#kernel/limits.ts';
import { parseAuditLine } from './line.ts';

/** One file of a chain; `index` counts from 1 without gaps. */
export interface ChainFile {
  readonly chain: string;
  readonly index: number;
  readonly name: string;
  readonly path: string;
}

export function chainFile(dir: string, chain: string, index: number): ChainFile {
  const name = `audit-${chain}-${String(index).padStart(6, '0')}.jsonl`;
  return { chain, index, name, path: join(dir, name) };
}

/** The lock whose holder alone may write the chain. */
export function lockPath(dir: string, chain: string): string {
  return join(dir, `audit-${chain}.lock`);
}

/** The chains in a folder, each with its files in order. A folder that is not there has none. */
export function listChains(dir: string): ReadonlyMap<string, readonly ChainFile[]> {
  const chains = new Map<string, ChainFile[]>();
  const folder = join(dir, '/');
  for (const name of namesIn(dir)) {
    const match = /^audit-([0-9a-f]{12})-(\d{6,})\.jsonl$/.exec(name);
    if (match?.[1] === undefined) continue;
    const file = { chain: match[1], index: Number(match[2]), name, path: `${folder}${name}` };
    const files = chains.get(file.chain);
    if (files === undefined) chains.set(file.chain, [file]);
    else files.push(file);
  }
  for (const files of chains.values()) files.sort((a, b) => a.index - b.index);
  return chains;
}

/**
 * Reads the complete lines of a file from `offset` on, without their newlines, until `onLine` refuses one.
 * Returns where the last line it took ends, and how many bytes without a newline come after it.
 * A line longer than `maxLineBytes` is handed over cut, and its rest as the next one, so that nobody's memory depends on a
 * file.
 */
export async function readLines(
  path: string,
  offset: number,
  onLine: (line: Buffer) => boolean,
  maxLineBytes: number = limits.maxAuditLineBytes,
): Promise<{ readonly end: number; readonly tornBytes: number }> {
  const handle = await open(path, 'r');
  try {
    let end = offset;
    let rest = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.allocUnsafe(256 * 1024);
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, end + rest.length);
      if (bytesRead === 0) return { end, tornBytes: rest.length };
      const bytes =
        rest.length === 0
          ? chunk.subarray(0, bytesRead)
          : Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      let start = 0;
      for (let newline = bytes.indexOf(10); newline >= 0; newline = bytes.indexOf(10, start)) {
        const line = bytes.subarray(start, newline);
        if (!onLine(line)) return { end: end + start, tornBytes: 0 };
        start = newline + 1;
      }
      end += start;
      rest = bytes.subarray(start);
      if (rest.length <= maxLineBytes) continue;
      if (!onLine(rest)) return { end, tornBytes: rest.length };
      end += rest.length;
      rest = Buffer.alloc(0);
    }
  } finally {
    await handle.close();
  }
}

/** The last complete lines of a file: at least one where it has any, and no more than fit into a few pages. */
export async function lastLines(path: string): Promise<readonly Buffer[]> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 2 * limits.maxAuditLineBytes);
    const tail = Buffer.alloc(length);
    await handle.read(tail, 0, length, size - length);
    const lines: Buffer[] = [];
    let start = length === size ? 0 : tail.indexOf(10) + 1;
    for (let end = tail.indexOf(10, start); end >= 0; end = tail.indexOf(10, start)) {
      lines.push(tail.subarray(start, end));
      start = end + 1;
    }
    return lines;
  } finally {
    await handle.close();
  }
}

/**
 * Where a line begins that `isOld` says yes to, near the first one it says no to: what comes before need not be read. Looks
 * from the end, further and further back, at one line each time.
 */
export async function seekOld(path: string, isOld: (line: Buffer) => boolean): Promise<number> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const part = Buffer.alloc(2 * limits.maxAuditLineBytes);
    for (let back = part.length; back < size; back *= 4) {
      const { bytesRead } = await handle.read(part, 0, part.length, size - back);
      const start = part.subarray(0, bytesRead).indexOf(10) + 1;
      const end = part.subarray(0, bytesRead).indexOf(10, start);
      if (start > 0 && end > start && isOld(part.subarray(start, end))) return size - back + start;
    }
    return 0;
  } finally {
    await handle.close();
  }
}

/** The last complete line of a file, or undefined where it has none. */
export async function lastLine(path: string): Promise<Buffer | undefined> {
  return (await lastLines(path)).at(-1);
}

/** When the last record of a file was made; infinity where none can be read, so that the file counts as young. */
export async function lastTime(path: string): Promise<number> {
  const line = await lastLine(path);
  const record = line === undefined ? undefined : parseAuditLine(line);
  return record?.ok ? Date.parse(record.value.time) : Number.POSITIVE_INFINITY;
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
