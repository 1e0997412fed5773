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
