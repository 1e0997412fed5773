import { readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ownerOnly, replaceKeyFile } from '#keys/key-file.ts';
import type { RemovableEntry } from '#keys/keychain.ts';
import { UserError } from '../errors.ts';

/** Where a sign-in is kept between two starts: the keychain of the system, a file that was named, or nowhere. */
export interface TokenStore extends RemovableEntry {
  /** For people: where that is. */
  readonly place: string;
}

/** A file of mode 0600; one that its group or others can read is refused. */
export function fileStore(path: string): TokenStore {
  return {
    place: path,
    async get() {
      const stat = statSync(path, { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      if (!stat.isFile() || (stat.mode & ownerOnly) !== 0)
        throw new UserError(
          `${path} is open to its group or to others: whoever read it may be you to the gateway`,
          {
            next: `chmod 600 ${path}; or, to be safe, sign in anew: rm ${path}`,
          },
        );
      return readFileSync(path, 'utf8');
    },
    async set(text) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      replaceKeyFile(path, text);
    },
    async remove() {
      rmSync(path, { force: true });
    },
  };
}

/** The keychain; where there is none, or it is locked, memory alone, which is told once with what to do. */
export function keychainStore(keychain: RemovableEntry, onMissing: (why: string) => void): TokenStore {
  let held: string | undefined;
  let isMissing = false;
  const miss = (error: unknown) => {
    if (!isMissing) onMissing(error instanceof Error ? error.message : String(error));
    isMissing = true;
  };
  return {
    get place() {
      return isMissing ? 'memory, until this ends' : 'the keychain of the system';
    },
    async get() {
      if (isMissing) return held;
      try {
        return await keychain.get();
      } catch (error) {
        miss(error);
        return held;
      }
    },
    async set(text) {
      held = text;
      if (isMissing) return;
      await keychain.set(text).catch(miss);
    },
    async remove() {
      held = undefined;
      await keychain.remove().catch(miss);
    },
  };
}
