import { asRow, integerOf, optionalTextOf, textOf } from './row.ts';
import type { Statement, Store } from './store.ts';

/** One call, copied from the audit so that it can be found by who made it. */
export interface AuditCallRow {
  readonly chain: string;
  readonly seq: number;
  /** A pseudonym. */
  readonly user: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly method: string;
  readonly tool: string | undefined;
  readonly backend: string | undefined;
  readonly outcome: string;
  readonly code: string;
  readonly ms: number;
}

const columns = 'chain, seq, user, time, method, tool, backend, outcome, code, ms';

/**
 * Adds calls (one that is there stays as it is), trims the users in `full` to their newest `perUser`, and notes up to
 * where each chain in `marks` is copied; all of it or nothing.
 */
export async function addAuditCalls(
  store: Store,
  batch: {
    readonly calls: readonly AuditCallRow[];
    readonly full: readonly string[];
    readonly perUser: number;
    readonly marks: ReadonlyMap<string, number>;
  },
): Promise<void> {
  const statements: Statement[] = batch.calls.map((call) => ({
    sql: `INSERT INTO audit_calls (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    params: [
      call.chain,
      call.seq,
      call.user,
      call.time,
      call.method,
      call.tool ?? null,
      call.backend ?? null,
      call.outcome,
      call.code,
      call.ms,
    ],
  }));
  for (const user of batch.full) {
    statements.push({
      sql: `DELETE FROM audit_calls WHERE user = ? AND (chain, seq) NOT IN
            (SELECT chain, seq FROM audit_calls WHERE user = ? ORDER BY time DESC, seq DESC LIMIT ?)`,
      params: [user, user, batch.perUser],
    });
  }
  for (const [chain, seq] of batch.marks) {
    statements.push({
      sql: `INSERT INTO audit_call_marks (chain, seq) VALUES (?, ?)
            ON CONFLICT (chain) DO UPDATE SET seq = max(seq, excluded.seq)`,
      params: [chain, seq],
    });
  }
  await store.batch(statements);
}

/** The newest calls of these pseudonyms, newest first. */
export async function listAuditCalls(
  store: Store,
  users: readonly string[],
  limit: number,
): Promise<readonly AuditCallRow[]> {
  if (users.length === 0) return [];
  const rows = await store.all(
    `SELECT ${columns} FROM audit_calls WHERE user IN (${users.map(() => '?').join(', ')})
     ORDER BY time DESC, seq DESC LIMIT ?`,
    ...users,
    limit,
  );
  return rows.map((value) => {
    const row = asRow(value);
    return {
      chain: textOf(row, 'chain'),
      seq: integerOf(row, 'seq'),
      user: textOf(row, 'user'),
      time: integerOf(row, 'time'),
      method: textOf(row, 'method'),
      tool: optionalTextOf(row, 'tool'),
      backend: optionalTextOf(row, 'backend'),
      outcome: textOf(row, 'outcome'),
      code: textOf(row, 'code'),
      ms: integerOf(row, 'ms'),
    };
  });
}

/** Up to where each chain is copied. */
export async function loadAuditCallMarks(store: Store): Promise<ReadonlyMap<string, number>> {
  const rows = await store.all('SELECT chain, seq FROM audit_call_marks');
  return new Map(rows.map(asRow).map((row) => [textOf(row, 'chain'), integerOf(row, 'seq')] as const));
}

/** Deletes the calls before that moment; returns how many. */
export async function sweepAuditCalls(store: Store, before: number): Promise<number> {
  return store.run('DELETE FROM audit_calls WHERE time < ?', before);
}

/** Erases the calls of these pseudonyms, beyond recovery from the file. */
export async function eraseAuditCalls(store: Store, users: readonly string[]): Promise<void> {
  await store.batch(users.map((user) => ({ sql: 'DELETE FROM audit_calls WHERE user = ?', params: [user] })));
  await store.scrub();
}
