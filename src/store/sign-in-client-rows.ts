import { asRow, textOf } from './row.ts';
import type { Store } from './store.ts';

/** The gateway's sealed registration at one of its issuers, or undefined. */
export async function findSignInClient(store: Store, issuer: string): Promise<string | undefined> {
  const rows = await store.all('SELECT sealed FROM sign_in_clients WHERE issuer = ?', issuer);
  return rows[0] === undefined ? undefined : textOf(asRow(rows[0]), 'sealed');
}

export async function saveSignInClient(store: Store, issuer: string, sealed: string): Promise<void> {
  await store.run(
    `INSERT INTO sign_in_clients (issuer, sealed) VALUES (?, ?)
     ON CONFLICT (issuer) DO UPDATE SET sealed = excluded.sealed`,
    issuer,
    sealed,
  );
}

export async function deleteSignInClient(store: Store, issuer: string): Promise<void> {
  await store.run('DELETE FROM sign_in_clients WHERE issuer = ?', issuer);
}
