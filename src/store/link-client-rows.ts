import { asRow, textOf } from './row.ts';
import type { Store } from './store.ts';

/** As whom the gateway is known to an authorization server, for one of its servers. */
export interface LinkClientKey {
  readonly server: string;
  readonly issuer: string;
  readonly redirectUri: string;
}

export async function findLinkClient(store: Store, key: LinkClientKey): Promise<string | undefined> {
  const rows = await store.all(
    'SELECT sealed FROM link_clients WHERE server = ? AND issuer = ? AND redirect_uri = ?',
    key.server,
    key.issuer,
    key.redirectUri,
  );
  return rows[0] === undefined ? undefined : textOf(asRow(rows[0]), 'sealed');
}

/** Adds a registration unless there is one, and returns the one that holds: the first writer's, for every process. */
export async function addLinkClient(
  store: Store,
  row: LinkClientKey & { readonly sealed: string; readonly createdAt: number },
): Promise<string> {
  await store.run(
    `INSERT INTO link_clients (server, issuer, redirect_uri, sealed, created_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (server, issuer, redirect_uri) DO NOTHING`,
    row.server,
    row.issuer,
    row.redirectUri,
    row.sealed,
    row.createdAt,
  );
  return (await findLinkClient(store, row)) ?? row.sealed;
}

/** Deletes a registration that no longer holds; only the very one that the caller knows. */
export async function deleteLinkClient(store: Store, key: LinkClientKey, sealed: string): Promise<void> {
  await store.run(
    'DELETE FROM link_clients WHERE server = ? AND issuer = ? AND redirect_uri = ? AND sealed = ?',
    key.server,
    key.issuer,
    key.redirectUri,
    sealed,
  );
}

export async function listLinkClients(
  store: Store,
): Promise<readonly (LinkClientKey & { readonly sealed: string })[]> {
  const rows = await store.all('SELECT server, issuer, redirect_uri, sealed FROM link_clients');
  return rows.map((value) => {
    const row = asRow(value);
    return {
      server: textOf(row, 'server'),
      issuer: textOf(row, 'issuer'),
      redirectUri: textOf(row, 'redirect_uri'),
      sealed: textOf(row, 'sealed'),
    };
  });
}

/** Puts the same registration in again, sealed anew, unless it changed meanwhile. */
export async function resealLinkClient(
  store: Store,
  key: LinkClientKey,
  before: string,
  sealed: string,
): Promise<void> {
  await store.run(
    'UPDATE link_clients SET sealed = ? WHERE server = ? AND issuer = ? AND redirect_uri = ? AND sealed = ?',
    sealed,
    key.server,
    key.issuer,
    key.redirectUri,
    before,
  );
}
