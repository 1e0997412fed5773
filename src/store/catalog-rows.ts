import { asRow, integerOf, optionalTextOf, textOf } from './row.ts';
import type { Store } from './store.ts';

/** The last good catalog of a backend, so that a restart shows tools before the first poll. */
export interface CatalogRow {
  readonly backend: string;
  /** JSON, as whoever saved it wrote it. */
  readonly catalog: string;
  readonly etag: string | undefined;
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
}

/** Every saved catalog, in the order of backend ids. */
export async function loadCatalogs(store: Store): Promise<readonly CatalogRow[]> {
  const rows = await store.all(
    'SELECT backend, catalog, etag, saved_at FROM catalog_snapshot ORDER BY backend',
  );
  return rows.map(asRow).map((row) => ({
    backend: textOf(row, 'backend'),
    catalog: textOf(row, 'catalog'),
    etag: optionalTextOf(row, 'etag'),
    savedAt: integerOf(row, 'saved_at'),
  }));
}

/** Replaces the backend's row. */
export async function saveCatalog(store: Store, row: CatalogRow): Promise<void> {
  await store.run(
    `INSERT INTO catalog_snapshot (backend, catalog, etag, saved_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (backend) DO UPDATE SET catalog = excluded.catalog, etag = excluded.etag, saved_at = excluded.saved_at`,
    row.backend,
    row.catalog,
    row.etag ?? null,
    row.savedAt,
  );
}

/** For a backend that left the configuration. */
export async function deleteCatalog(store: Store, backend: string): Promise<void> {
  await store.run('DELETE FROM catalog_snapshot WHERE backend = ?', backend);
}
