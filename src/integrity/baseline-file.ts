import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** A file as it was at one moment. */
export interface FileState {
  /** Undefined: there is none. */
  readonly text: string | undefined;
  /** Differs as soon as the file does. */
  readonly stamp: string;
}

const noFile = 'none';

/** Tells one state of a file from another without reading it. */
export function stampOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? noFile : 'unreadable';
  }
}

/** At once: whoever needs to know what is accepted cannot go on without. */
export function readBaselineFile(path: string): Result<FileState, 'unreadable'> {
  const stamp = stampOf(path);
  if (stamp === noFile) return ok({ text: undefined, stamp });
  try {
    if (statSync(path).size > limits.maxBaselineBytes) return err('unreadable');
    return ok({ text: readFileSync(path, 'utf8'), stamp });
  } catch {
    return err('unreadable');
  }
}

/** Replaces the file whole or not at all, 0600, on the disk when it resolves; gives its stamp. Throws where it cannot. */
export async function writeBaselineFile(path: string, text: string): Promise<string> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${randomBytes(8).toString('hex')}.new`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(folder);
  return stampOf(path);
}

/** Keeps a file that is not believed, for whoever looks into it. */
export async function setAside(path: string): Promise<void> {
  try {
    await rename(path, `${path}.refused`);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
