import type { NameRecord } from './naming.ts';

/** The last good catalog of one backend, as `saved-catalog.ts` writes and reads it. */
export interface SavedBackend {
  readonly backend: string;
  /** JSON text. */
  readonly catalog: string;
  readonly etag: string | undefined;
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
}

/** What survives a restart: the last good catalogs, and every public name ever given. */
export interface CatalogStore {
  load(): Promise<{ readonly backends: readonly SavedBackend[]; readonly names: readonly NameRecord[] }>;
  saveBackend(saved: SavedBackend): Promise<void>;
  removeBackend(backend: string): Promise<void>;
  /** Inserts or replaces by (kind, publicName). */
  saveNames(records: readonly NameRecord[]): Promise<void>;
  removeNames(records: readonly NameRecord[]): Promise<void>;
}
