import type { Log } from '#kernel/log.ts';
import type { CatalogStore } from './catalog-store.ts';

/** Writes to the store one after the other, behind the readers' back. */
export interface CatalogWriter {
  write(task: (store: CatalogStore) => Promise<void>): void;
  /** Resolves when everything asked for so far is written or has failed. */
  drained(): Promise<void>;
}

/** A write that fails is logged: what is served does not depend on it, only the next start does. */
export function createCatalogWriter(store: CatalogStore | undefined, log: Log): CatalogWriter {
  let tail = Promise.resolve();
  return {
    write(task) {
      if (store === undefined) return;
      tail = tail
        .then(() => task(store))
        .catch((cause: unknown) => log.error('catalog.save_failed', { message: String(cause) }));
    },
    drained: () => tail,
  };
}
