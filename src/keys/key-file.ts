import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { err, ok, type Result } from '#kernel/result.ts';

const maxKeyFileBytes = 64 * 1024;

export type KeyFileProblem = 'missing' | 'unreadable' | 'not_a_file' | 'exposed' | 'too_large' | 'unwritable';

/** The mode bits that a key file may not have: nobody but its owner reads or writes it. */
export const ownerOnly = 0o077;

/** The text of a key file. One that its group or others can read or write is refused. */
export function readKeyFile(path: string, forbiddenMode = ownerOnly): Result<string, KeyFileProblem> {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a named pipe at that path would hang the start.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return err(codeOf(error) === 'ENOENT' ? 'missing' : 'unreadable');
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return err('not_a_file');
    if ((stat.mode & forbiddenMode) !== 0) return err('exposed');
    if (stat.size > maxKeyFileBytes) return err('too_large');
    return ok(readFileSync(descriptor, 'utf8'));
  } catch {
    return err('unreadable');
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Makes a key file (0600, in a folder 0700) with one fresh key, unless there is one; either way gives the text that
 * is there now. The file appears whole or not at all, so processes that start at once agree on one key.
 */
export function readOrCreateKeyFile(path: string): Result<string, KeyFileProblem> {
  const existing = readKeyFile(path);
  if (existing.ok || existing.error !== 'missing') return existing;
  try {
    createKeyFile(path);
  } catch {
    return err('unwritable');
  }
  return readKeyFile(path);
}

/** Replaces the text of a key file, whole or not at all; it keeps its owner. Throws where the folder cannot be written. */
export function replaceKeyFile(path: string, text: string): void {
  const before = statSync(path, { throwIfNoEntry: false });
  withDraft(path, text, (draft) => renameSync(draft, path), before);
}

/** One key as a line of a key file. */
export function newKeyLine(): string {
  return `${randomBytes(32).toString('base64url')}\n`;
}

function createKeyFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  withDraft(path, newKeyLine(), (draft) => {
    try {
      linkSync(draft, path);
    } catch (error) {
      // Another process was first: its key holds.
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  });
}

function withDraft(
  path: string,
  text: string,
  publish: (draft: string) => void,
  owner?: Pick<Stats, 'uid' | 'gid'>,
): void {
  const folder = dirname(path);
  const draft = join(folder, `.${randomBytes(8).toString('hex')}.new`);
  try {
    const descriptor = openSync(draft, 'wx', 0o600);
    try {
      writeSync(descriptor, text);
      // Root may do this for a gateway that runs as somebody else, who then has to read it. By its descriptor: the folder
      // is that user's, and what lies at a name there by now may be a link to any file of root's.
      if (owner !== undefined && owner.uid !== fstatSync(descriptor).uid)
        fchownSync(descriptor, owner.uid, owner.gid);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    publish(draft);
  } finally {
    rmSync(draft, { force: true });
  }
  syncFolder(folder);
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
