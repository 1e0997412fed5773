import { Database } from 'bun:sqlite';
import { closeSync, openSync } from 'node:fs';

/** A lock that the system takes back when its process ends, however it ends. */
export interface ProcessLock {
  release(): void;
}

/**
 * Takes the lock at `path`, or gives undefined where another holder (in this process or another) has it.
 * The file stays empty and stays behind: the lock is the operating system's, taken through SQLite, so neither a
 * dead process nor a reused process id can hold it.
 */
export function tryLock(path: string): ProcessLock | undefined {
  closeSync(openSync(path, 'a', 0o600));
  const database = new Database(path);
  try {
    database.run('PRAGMA busy_timeout = 0');
    database.run('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return undefined;
    throw error;
  }
  return { release: () => database.close() };
}
