import { createHash } from 'node:crypto';
import { isStringArray, parseJson } from '#kernel/json.ts';
import { asRow, textOf } from './row.ts';
import type { Store } from './store.ts';

/** What a legacy session asked for after `initialize`. */
export interface SessionStateRow {
  readonly logLevel: string;
  readonly subscriptions: readonly string[];
}

/** The stored state of a session; undefined where it never asked for anything. The id is kept as a hash. */
export async function loadSessionState(
  store: Store,
  sessionId: string,
): Promise<SessionStateRow | undefined> {
  const rows = await store.all(
    'SELECT log_level, subscriptions FROM session_states WHERE session = ?',
    hash(sessionId),
  );
  if (rows.length === 0) return undefined;
  const row = asRow(rows[0]);
  const uris = parseJson(textOf(row, 'subscriptions'));
  return {
    logLevel: textOf(row, 'log_level'),
    subscriptions: uris.ok && isStringArray(uris.value) ? uris.value : [],
  };
}

export async function saveSessionState(
  store: Store,
  sessionId: string,
  state: SessionStateRow,
  expiresAt: number,
): Promise<void> {
  await store.run(
    `INSERT INTO session_states (session, log_level, subscriptions, expires_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (session) DO UPDATE SET log_level = excluded.log_level, subscriptions = excluded.subscriptions`,
    hash(sessionId),
    state.logLevel,
    JSON.stringify(state.subscriptions),
    expiresAt,
  );
}

export async function removeSessionState(store: Store, sessionId: string): Promise<void> {
  await store.run('DELETE FROM session_states WHERE session = ?', hash(sessionId));
}

/** Deletes the states whose sessions have expired; returns how many. */
export async function sweepSessionStates(store: Store, now: number): Promise<number> {
  return store.run('DELETE FROM session_states WHERE expires_at <= ?', now);
}

function hash(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('base64url');
}
