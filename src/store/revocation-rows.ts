import { asRow, integerOf, textOf } from './row.ts';
import type { Statement, Store } from './store.ts';

/** One denied value; `before` in seconds, `expiresAt` in milliseconds: then no token it could mean is good any more. */
export interface RevocationRow {
  readonly kind: string;
  readonly issuer: string;
  readonly value: string;
  readonly before: number;
  readonly expiresAt: number;
}

/** Keeps them, all or none, and beyond a power cut; of two of one value the later holds. */
export async function saveRevocations(store: Store, rows: readonly RevocationRow[]): Promise<void> {
  await store.batch(rows.map(saving), { isDurable: true });
}

function saving({ kind, issuer, value, before, expiresAt }: RevocationRow): Statement {
  return {
    sql: `INSERT INTO revocations (issuer, kind, value, before, expires_at) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (issuer, kind, value) DO UPDATE SET
            before = max(before, excluded.before), expires_at = max(expires_at, excluded.expires_at)`,
    params: [issuer, kind, value, before, expiresAt],
  };
}

/** Up to `limit` of them, in order of their rows, after the one that `cursor` names; the cursor of the last comes along. */
export async function listRevocations(
  store: Store,
  cursor: number,
  limit: number,
): Promise<{ readonly rows: readonly RevocationRow[]; readonly cursor: number }> {
  const found = await store.all(
    `SELECT rowid AS cursor, issuer, kind, value, before, expires_at FROM revocations
     WHERE rowid > ? ORDER BY rowid LIMIT ?`,
    cursor,
    limit,
  );
  const parsed = found.map(asRow);
  const last = parsed.at(-1);
  return {
    cursor: last === undefined ? cursor : integerOf(last, 'cursor'),
    rows: parsed.map((row) => ({
      issuer: textOf(row, 'issuer'),
      kind: textOf(row, 'kind'),
      value: textOf(row, 'value'),
      before: integerOf(row, 'before'),
      expiresAt: integerOf(row, 'expires_at'),
    })),
  };
}

const SWEPT_AT_A_TIME = 1_000;

/** Deletes those that matter no more, a few at a time so that nothing waits for it; returns how many. */
export async function sweepRevocations(store: Store, now: number): Promise<number> {
  for (let swept = 0; ; ) {
    const count = await store.run(
      `DELETE FROM revocations WHERE rowid IN
         (SELECT rowid FROM revocations WHERE expires_at <= ? LIMIT ${SWEPT_AT_A_TIME})`,
      now,
    );
    swept += count;
    if (count < SWEPT_AT_A_TIME) return swept;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
