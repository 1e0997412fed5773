import type { JsonObject } from '#kernel/json.ts';
import { asRow, integerOf, optionalIntegerOf, textOf } from './row.ts';
import type { SqlValue, Store } from './store.ts';

/** One user's grant at one server. */
export interface VaultGrantRow {
  readonly server: string;
  readonly generation: number;
  readonly sealed: string;
  readonly isDead: boolean;
  readonly lastUsedAt: number | undefined;
}

/**
 * A write names the owner's sealed key that it read: where that was sealed anew or erased meanwhile, nothing is
 * written, and the caller reads again. So no grant is ever left under a key that is gone.
 */
export interface GrantWrite {
  readonly owner: string;
  readonly ownerSealed: string;
  readonly server: string;
  readonly generation: number;
  readonly sealed: string;
}

const columns = 'server, generation, sealed, dead, last_used_at';
const ownerHolds = 'EXISTS (SELECT 1 FROM vault_owners WHERE owner = ? AND sealed = ?)';

export async function findGrantRow(
  store: Store,
  owner: string,
  server: string,
): Promise<VaultGrantRow | undefined> {
  const rows = await store.all(
    `SELECT ${columns} FROM vault_grants WHERE owner = ? AND server = ?`,
    owner,
    server,
  );
  return rows[0] === undefined ? undefined : rowOf(asRow(rows[0]));
}

/** An owner's grants, by server. */
export async function listGrantRows(store: Store, owner: string): Promise<readonly VaultGrantRow[]> {
  const rows = await store.all(`SELECT ${columns} FROM vault_grants WHERE owner = ? ORDER BY server`, owner);
  return rows.map((row) => rowOf(asRow(row)));
}

export async function countGrantRows(
  store: Store,
): Promise<{ readonly grants: number; readonly dead: number }> {
  const rows = await store.all('SELECT count(*) AS grants, coalesce(sum(dead), 0) AS dead FROM vault_grants');
  const row = asRow(rows[0]);
  return { grants: integerOf(row, 'grants'), dead: integerOf(row, 'dead') };
}

/** Whether it was added: not where there is one, or the owner's key has changed. */
export async function addGrantRow(store: Store, grant: GrantWrite): Promise<boolean> {
  const changed = await store.run(
    `INSERT INTO vault_grants (owner, server, generation, sealed, dead, lease_until)
     SELECT ?, ?, ?, ?, 0, 0 WHERE ${ownerHolds} ON CONFLICT (owner, server) DO NOTHING`,
    grant.owner,
    grant.server,
    grant.generation,
    grant.sealed,
    grant.owner,
    grant.ownerSealed,
  );
  return changed === 1;
}

/** Whether generation `before` was replaced by the given one; the grant is alive again then, its lease is kept. */
export async function replaceGrantRow(store: Store, before: number, grant: GrantWrite): Promise<boolean> {
  const changed = await store.run(
    `UPDATE vault_grants SET generation = ?, sealed = ?, dead = 0
     WHERE owner = ? AND server = ? AND generation = ? AND ${ownerHolds}`,
    grant.generation,
    grant.sealed,
    grant.owner,
    grant.server,
    before,
    grant.owner,
    grant.ownerSealed,
  );
  return changed === 1;
}

export async function markGrantRowDead(
  store: Store,
  owner: string,
  server: string,
  generation: number,
): Promise<void> {
  await store.run(
    'UPDATE vault_grants SET dead = 1 WHERE owner = ? AND server = ? AND generation = ?',
    owner,
    server,
    generation,
  );
}

/** Deletes the grant, beyond recovery from the file. */
export async function deleteGrantRow(store: Store, owner: string, server: string): Promise<void> {
  await store.run('DELETE FROM vault_grants WHERE owner = ? AND server = ?', owner, server);
  await store.scrub();
}

export async function touchGrantRows(
  store: Store,
  uses: readonly { readonly owner: string; readonly server: string; readonly at: number }[],
): Promise<void> {
  await store.batch(
    uses.map(({ owner, server, at }) => ({
      sql: 'UPDATE vault_grants SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE owner = ? AND server = ?',
      params: [at, owner, server] satisfies SqlValue[],
    })),
  );
}

/** Whether `lease` now holds the row until that moment: nobody else does, or no longer. */
export async function leaseGrantRow(
  store: Store,
  owner: string,
  server: string,
  lease: { readonly id: string; readonly now: number; readonly until: number },
): Promise<boolean> {
  const changed = await store.run(
    `UPDATE vault_grants SET lease = ?, lease_until = ?
     WHERE owner = ? AND server = ? AND (lease IS NULL OR lease_until <= ?)`,
    lease.id,
    lease.until,
    owner,
    server,
    lease.now,
  );
  return changed === 1;
}

/** Whether `lease` still holds the row, now until that moment. */
export async function extendGrantLease(
  store: Store,
  owner: string,
  server: string,
  lease: { readonly id: string; readonly until: number },
): Promise<boolean> {
  const changed = await store.run(
    'UPDATE vault_grants SET lease_until = ? WHERE owner = ? AND server = ? AND lease = ?',
    lease.until,
    owner,
    server,
    lease.id,
  );
  return changed === 1;
}

export async function releaseGrantRow(
  store: Store,
  owner: string,
  server: string,
  lease: string,
): Promise<void> {
  await store.run(
    'UPDATE vault_grants SET lease = NULL, lease_until = 0 WHERE owner = ? AND server = ? AND lease = ?',
    owner,
    server,
    lease,
  );
}

function rowOf(row: JsonObject): VaultGrantRow {
  return {
    server: textOf(row, 'server'),
    generation: integerOf(row, 'generation'),
    sealed: textOf(row, 'sealed'),
    isDead: integerOf(row, 'dead') === 1,
    lastUsedAt: optionalIntegerOf(row, 'last_used_at'),
  };
}
