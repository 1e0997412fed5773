import { asRow, integerOf, textOf } from './row.ts';
import type { Store } from './store.ts';

/** A linking under way. What it holds is sealed, bound to its id. */
export interface LinkFlowRow {
  readonly sealed: string;
  readonly isConsumed: boolean;
}

export async function addLinkFlow(
  store: Store,
  flow: { readonly id: string; readonly sealed: string; readonly expiresAt: number },
): Promise<void> {
  await store.run(
    'INSERT INTO link_flows (id, sealed, expires_at, consumed) VALUES (?, ?, ?, 0)',
    flow.id,
    flow.sealed,
    flow.expiresAt,
  );
}

/** The flow, consumed or not, unless it has expired. */
export async function findLinkFlow(store: Store, id: string, now: number): Promise<LinkFlowRow | undefined> {
  const rows = await store.all(
    'SELECT sealed, consumed FROM link_flows WHERE id = ? AND expires_at > ?',
    id,
    now,
  );
  if (rows[0] === undefined) return undefined;
  const row = asRow(rows[0]);
  return { sealed: textOf(row, 'sealed'), isConsumed: integerOf(row, 'consumed') === 1 };
}

/**
 * Consumes the flow: what it holds goes to the first who asks, in whatever process, and to nobody after that; it is
 * not kept.
 */
export async function consumeLinkFlow(store: Store, id: string, now: number): Promise<string | undefined> {
  const rows = await store.all(
    'UPDATE link_flows SET consumed = 1 WHERE id = ? AND expires_at > ? AND consumed = 0 RETURNING sealed',
    id,
    now,
  );
  if (rows[0] === undefined) return undefined;
  await store.run("UPDATE link_flows SET sealed = '' WHERE id = ?", id);
  return textOf(asRow(rows[0]), 'sealed');
}

/** Deletes the expired flows; returns how many. */
export async function sweepLinkFlows(store: Store, now: number): Promise<number> {
  return store.run('DELETE FROM link_flows WHERE expires_at <= ?', now);
}

/** Every flow that still holds something, expired ones too. */
export async function listLinkFlows(
  store: Store,
): Promise<readonly { readonly id: string; readonly sealed: string }[]> {
  const rows = await store.all("SELECT id, sealed FROM link_flows WHERE sealed != ''");
  return rows.map((value) => {
    const row = asRow(value);
    return { id: textOf(row, 'id'), sealed: textOf(row, 'sealed') };
  });
}

/** Puts the same flow in again, sealed anew, unless it was consumed meanwhile. */
export async function resealLinkFlow(
  store: Store,
  id: string,
  before: string,
  sealed: string,
): Promise<void> {
  await store.run('UPDATE link_flows SET sealed = ? WHERE id = ? AND sealed = ?', sealed, id, before);
}

/** Deletes flows, beyond recovery from the file. */
export async function eraseLinkFlows(store: Store, ids: readonly string[]): Promise<void> {
  await store.batch(ids.map((id) => ({ sql: 'DELETE FROM link_flows WHERE id = ?', params: [id] })));
  await store.scrub();
}
