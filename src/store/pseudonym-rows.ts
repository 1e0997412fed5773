import { asRow, textOf } from './row.ts';
import type { Store } from './store.ts';

/** The sealed look-up row of one principal, or undefined. `lookup` is a keyed hash of the principal. */
export async function findPseudonymRow(store: Store, lookup: string): Promise<string | undefined> {
  const rows = await store.all('SELECT sealed FROM audit_pseudonyms WHERE lookup = ?', lookup);
  return rows[0] === undefined ? undefined : textOf(asRow(rows[0]), 'sealed');
}

/** Adds a row unless there is one, and returns the row that holds: the first writer's, for every process. */
export async function addPseudonymRow(
  store: Store,
  row: { readonly lookup: string; readonly sealed: string; readonly createdAt: number },
): Promise<string> {
  await store.run(
    'INSERT INTO audit_pseudonyms (lookup, sealed, created_at) VALUES (?, ?, ?) ON CONFLICT (lookup) DO NOTHING',
    row.lookup,
    row.sealed,
    row.createdAt,
  );
  return (await findPseudonymRow(store, row.lookup)) ?? row.sealed;
}

/** A page of rows in the order of `lookup`, from behind `after` on. */
export async function listPseudonymRows(
  store: Store,
  after: string,
  limit: number,
): Promise<readonly { readonly lookup: string; readonly sealed: string }[]> {
  const sql = 'SELECT lookup, sealed FROM audit_pseudonyms WHERE lookup > ? ORDER BY lookup LIMIT ?';
  const rows = await store.all(sql, after, limit);
  return rows.map((value) => {
    const row = asRow(value);
    return { lookup: textOf(row, 'lookup'), sealed: textOf(row, 'sealed') };
  });
}

/** Erases the rows, beyond recovery from the file. */
export async function erasePseudonymRows(store: Store, lookups: readonly string[]): Promise<void> {
  await store.batch(
    lookups.map((lookup) => ({ sql: 'DELETE FROM audit_pseudonyms WHERE lookup = ?', params: [lookup] })),
  );
  await store.scrub();
}
