import { asRow, textOf } from './row.ts';
import type { Store } from './store.ts';

/** A key of the vault's own, sealed with the key ring. */
export async function findVaultKeyRow(store: Store, name: string): Promise<string | undefined> {
  const rows = await store.all('SELECT sealed FROM vault_keys WHERE name = ?', name);
  return rows[0] === undefined ? undefined : textOf(asRow(rows[0]), 'sealed');
}

/** Adds a key unless there is one, and returns the one that holds: the first writer's, for every process. */
export async function addVaultKeyRow(store: Store, name: string, sealed: string): Promise<string> {
  await store.run(
    'INSERT INTO vault_keys (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO NOTHING',
    name,
    sealed,
  );
  return (await findVaultKeyRow(store, name)) ?? sealed;
}

/** Puts the same key in again, sealed anew, unless another process was first. */
export async function resealVaultKeyRow(
  store: Store,
  name: string,
  before: string,
  sealed: string,
): Promise<void> {
  await store.run('UPDATE vault_keys SET sealed = ? WHERE name = ? AND sealed = ?', sealed, name, before);
}

export async function listVaultKeySeals(store: Store): Promise<readonly string[]> {
  const rows = await store.all('SELECT sealed FROM vault_keys');
  return rows.map((row) => textOf(asRow(row), 'sealed'));
}
