import { createHash } from 'node:crypto';
import type { Store } from './store.ts';

/** Remembers that a legacy session was ended, until its sealed id expires by itself. The id is kept as a hash. */
export async function burySession(store: Store, sessionId: string, expiresAt: number): Promise<void> {
  await store.run(
    `INSERT INTO session_tombstones (session, expires_at) VALUES (?, ?)
     ON CONFLICT (session) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`,
    hash(sessionId),
    expiresAt,
  );
}

/** Whether the session was ended. */
export async function isBuried(store: Store, sessionId: string): Promise<boolean> {
  const rows = await store.all('SELECT 1 FROM session_tombstones WHERE session = ?', hash(sessionId));
  return rows.length > 0;
}

/** Deletes the tombstones whose sessions have expired anyway; returns how many. */
export async function sweepTombstones(store: Store, now: number): Promise<number> {
  return store.run('DELETE FROM session_tombstones WHERE expires_at <= ?', now);
}

function hash(sessionId: string): string {
  return createHash('sha256').update(sessionId).digest('base64url');
}
