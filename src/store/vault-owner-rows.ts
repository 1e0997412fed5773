import { asRow, textOf } from './row.ts';
import type { Store } from './store.ts';

/** A principal with something in the vault. `owner` is a keyed hash of it; `sealed` holds its key and its name. */
export interface VaultOwnerRow {
  readonly owner: string;
  readonly sealed: string;
}

export async function findVaultOwnerRow(store: Store, owner: string): Promise<string | undefined> {
  const rows = await store.all('SELECT sealed FROM vault_owners WHERE owner = ?', owner);
  return rows[0] === undefined ? undefined : textOf(asRow(rows[0]), 'sealed');
}

/** Adds an owner unless there is one, and returns what holds: the first writer's, for every process. */
export async function addVaultOwnerRow(
  store: Store,
  row: VaultOwnerRow & { readonly createdAt: number },
): Promise<string> {
  await store.run(
    'INSERT INTO vault_owners (owner, sealed, created_at) VALUES (?, ?, ?) ON CONFLICT (owner) DO NOTHING',
    row.owner,
    row.sealed,
    row.createdAt,
  );
  return (await findVaultOwnerRow(store, row.owner)) ?? row.sealed;
}

/** Owners in the order of their ids, the first after `after`. */
export async function listVaultOwnerRows(
  store: Store,
  after: string,
  limit: number,
): Promise<readonly VaultOwnerRow[]> {
  const rows = await store.all(
    'SELECT owner, sealed FROM vault_owners WHERE owner > ? ORDER BY owner LIMIT ?',
    after,
    limit,
  );
  return rows.map((value) => {
    const row = asRow(value);
    return { owner: textOf(row, 'owner'), sealed: textOf(row, 'sealed') };
  });
}

/** Puts the same keys in again, sealed anew: each only where the row still is as it was read. */
export async function resealVaultOwnerRows(
  store: Store,
  rows: readonly (VaultOwnerRow & { readonly before: string })[],
): Promise<void> {
  await store.batch(
    rows.map(({ owner, before, sealed }) => ({
      sql: 'UPDATE vault_owners SET sealed = ? WHERE owner = ? AND sealed = ?',
      params: [sealed, owner, before],
    })),
  );
}

/** Deletes an owner's key and grants, beyond recovery from the file. */
export async function eraseVaultOwner(store: Store, owner: string): Promise<void> {
  await store.batch([
    { sql: 'DELETE FROM vault_grants WHERE owner = ?', params: [owner] },
    { sql: 'DELETE FROM vault_owners WHERE owner = ?', params: [owner] },
  ]);
  await store.scrub();
}

export async function listVaultOwnerSeals(store: Store): Promise<readonly string[]> {
  const rows = await store.all('SELECT sealed FROM vault_owners');
  return rows.map((row) => textOf(asRow(row), 'sealed'));
}
