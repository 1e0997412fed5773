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

/** Consumes the flow: what it holds goes to the first who asks, in whatever process, and to nobody after that. */
export async function consumeLinkFlow(store: Store, id: string, now: number): Promise<string | undefined> {
  const rows = await store.all(
    'UPDATE link_flows SET consumed = 1 WHERE id = ? AND expires_at > ? AND consumed = 0 RETURNING sealed',
    id,
    now,
  );
  return rows[0] === undefined ? undefined : textOf(asRow(rows[0]), 'sealed');
}

/** Deletes the expired flows; returns how many. */
export async function sweepLinkFlows(store: Store, now: number): Promise<number> {
  return store.run('DELETE FROM link_flows WHERE expires_at <= ?', now);
}

/** What the flows that have not expired hold, sealed. */
export async function listLinkFlowSeals(store: Store, now: number): Promise<readonly string[]> {
  const rows = await store.all('SELECT sealed FROM link_flows WHERE expires_at > ?', now);
  return rows.map((row) => textOf(asRow(row), 'sealed'));
}
