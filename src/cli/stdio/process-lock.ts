import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const pauseMs = 100;
/** A sign-in in a browser takes this long at most. */
const staleMs = 11 * 60_000;

/**
 * Lets one process at a time do `work`: two that refresh at once would make an issuer that rotates its tokens take all
 * of them back. A lock whose process is gone counts for nothing; where none can be made, work is done without.
 */
export async function withProcessLock<T>(
  path: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const isOurs = await acquire(path, signal);
  try {
    return await work();
  } finally {
    if (isOurs) rmSync(path, { force: true });
  }
}

async function acquire(path: string, signal: AbortSignal): Promise<boolean> {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  } catch {
    return false;
  }
  for (;;) {
    try {
      const descriptor = openSync(path, 'wx', 0o600);
      writeSync(descriptor, String(process.pid));
      closeSync(descriptor);
      return true;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EEXIST' || signal.aborted) return false;
    }
    if (isStale(path)) rmSync(path, { force: true });
    else await Bun.sleep(pauseMs);
  }
}

function isStale(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  const age = Date.now() - stat.mtimeMs;
  if (age > staleMs) return true;
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    // Its process writes its number right after it made the file.
    if (!Number.isSafeInteger(pid) || pid <= 0) return age > 1_000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
