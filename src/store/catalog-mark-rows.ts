import { asRow, integerOf, textOf } from './row.ts';
import type { Store } from './store.ts';

/** When the newest accepted list of a method was signed, in milliseconds. */
export interface CatalogMarkRow {
  readonly backend: string;
  readonly method: string;
  readonly signedAt: number;
}

export async function loadCatalogMarks(store: Store): Promise<readonly CatalogMarkRow[]> {
  const rows = await store.all('SELECT backend, method, signed_at FROM catalog_marks');
  return rows.map(asRow).map((row) => ({
    backend: textOf(row, 'backend'),
    method: textOf(row, 'method'),
    signedAt: integerOf(row, 'signed_at'),
  }));
}

export async function saveCatalogMark(
  store: Store,
  { backend, method, signedAt }: CatalogMarkRow,
): Promise<void> {
  await store.run(
    `INSERT INTO catalog_marks (backend, method, signed_at) VALUES (?, ?, ?)
     ON CONFLICT (backend, method) DO UPDATE SET signed_at = max(signed_at, excluded.signed_at)`,
    backend,
    method,
    signedAt,
  );
}
