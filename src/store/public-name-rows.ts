import { asRow, integerOf, optionalIntegerOf, textOf } from './row.ts';
import type { Store } from './store.ts';

/** Which public name a backend's own name had, and when. */
export interface PublicNameRow {
  readonly kind: 'tool' | 'prompt';
  readonly backend: string;
  readonly ownName: string;
  readonly publicName: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Milliseconds since the epoch; undefined while the name is in use. */
  readonly until: number | undefined;
}

/** Every remembered name, oldest first. */
export async function loadPublicNames(store: Store): Promise<readonly PublicNameRow[]> {
  const rows = await store.all(
    `SELECT kind, backend, own_name, public_name, since, until FROM public_names
     ORDER BY since, kind, public_name, backend, own_name`,
  );
  return rows.map(asRow).map((row) => ({
    kind: kindOf(textOf(row, 'kind')),
    backend: textOf(row, 'backend'),
    ownName: textOf(row, 'own_name'),
    publicName: textOf(row, 'public_name'),
    since: integerOf(row, 'since'),
    until: optionalIntegerOf(row, 'until'),
  }));
}

/** Adds rows, or sets `since` and `until` of those that are there; all of them or none. */
export async function savePublicNames(store: Store, rows: readonly PublicNameRow[]): Promise<void> {
  await store.batch(
    rows.map((row) => ({
      sql: `INSERT INTO public_names (kind, backend, own_name, public_name, since, until) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (kind, public_name, backend, own_name)
            DO UPDATE SET since = excluded.since, until = excluded.until`,
      params: [row.kind, row.backend, row.ownName, row.publicName, row.since, row.until ?? null],
    })),
  );
}

/** Forgets the given names; all of them or none. */
export async function forgetPublicNames(store: Store, rows: readonly PublicNameRow[]): Promise<void> {
  await store.batch(
    rows.map(({ kind, publicName, backend, ownName }) => ({
      sql: 'DELETE FROM public_names WHERE kind = ? AND public_name = ? AND backend = ? AND own_name = ?',
      params: [kind, publicName, backend, ownName],
    })),
  );
}

function kindOf(text: string): 'tool' | 'prompt' {
  if (text === 'tool' || text === 'prompt') return text;
  throw new Error(`column kind holds ${JSON.stringify(text)}`);
}
