import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface FileWatch {
  /** Watches these files instead; false: they are the same as before. */
  aim(files: readonly string[]): boolean;
  /**
   * Takes what the files are now for seen; called before they are read, so that no later change is missed. With what
   * they were `before`, a change since then counts.
   */
  settle(before?: string): Promise<void>;
  close(): void;
}

/**
 * Calls `onChange` once a burst of changes to one of the files is over. Folders are watched, not files: an editor
 * or a mounted secret replaces the file by a new one. A folder that cannot be watched is left out.
 */
export function watchFiles(onChange: () => void, quietMs: number): FileWatch {
  let files: readonly string[] = [];
  let seen = '';
  let watchers: readonly FSWatcher[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;

  function stir(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void compare(), quietMs);
  }

  async function compare(): Promise<void> {
    const now = await fingerprint(files);
    if (isClosed || now === seen) return;
    seen = now;
    onChange();
  }

  return {
    aim(wanted) {
      const isSame = wanted.length === files.length && wanted.every((file) => files.includes(file));
      if (isSame || isClosed) return false;
      for (const watcher of watchers) watcher.close();
      files = [...wanted];
      const folders = new Set(files.map((file) => dirname(file)));
      watchers = [...folders].flatMap((folder) => watchFolder(folder, stir));
      return true;
    },
    async settle(before) {
      seen = before ?? (await fingerprint(files));
      if (before !== undefined) stir();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      watchers = [];
    },
  };
}

function watchFolder(folder: string, onEvent: () => void): readonly FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on('error', () => watcher.close());
    return [watcher];
  } catch {
    return [];
  }
}

/** Size, time and identity of what each name leads to, through symbolic links. */
export async function fingerprint(files: readonly string[]): Promise<string> {
  const marks = await Promise.all(
    files.map((file) =>
      stat(file, { bigint: true }).then(
        (found) => `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`,
        () => 'absent',
      ),
    ),
  );
  return marks.join(' ');
}
