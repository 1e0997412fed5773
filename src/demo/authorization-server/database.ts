import { Database } from 'bun:sqlite';
import { chmodSync } from 'node:fs';
import type { Clock } from '#kernel/clock.ts';

/**
 * Opens the one database of the server and makes its tables. Times are seconds since the epoch; every `hash` is
 * the SHA-256 of an opaque secret that is itself never stored.
 */
export function openDatabase(path: string): Database {
  const database = new Database(path, { create: true, strict: true });
  if (path !== ':memory:') chmodSync(path, 0o600);
  database.run('PRAGMA journal_mode = WAL');
  database.run('PRAGMA secure_delete = ON');
  database.run('PRAGMA foreign_keys = ON');
  for (const table of tables) database.run(table);
  return database;
}

const tables = [
  `CREATE TABLE IF NOT EXISTS users (
    sub TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, plan TEXT NOT NULL, role TEXT NOT NULL, created_at INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS clients (
    client_id TEXT PRIMARY KEY, name TEXT NOT NULL, redirect_uris TEXT NOT NULL, secret_hash TEXT,
    can_refresh INTEGER NOT NULL, created_at INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS links (
    hash TEXT PRIMARY KEY, email TEXT NOT NULL, browser_hash TEXT NOT NULL, next TEXT NOT NULL, expires_at INTEGER NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS sessions (
    hash TEXT PRIMARY KEY, sub TEXT NOT NULL REFERENCES users ON DELETE CASCADE, expires_at INTEGER NOT NULL)`,
  // One row a consent; its id is the tokens' `sid`. Revoking deletes it, and codes and refresh tokens with it.
  `CREATE TABLE IF NOT EXISTS grants (
    id TEXT PRIMARY KEY, client_id TEXT NOT NULL, client_name TEXT NOT NULL, can_refresh INTEGER NOT NULL,
    sub TEXT NOT NULL REFERENCES users ON DELETE CASCADE, resource TEXT NOT NULL, scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL)`,
  'CREATE INDEX IF NOT EXISTS grants_of_user ON grants (sub)',
  'CREATE INDEX IF NOT EXISTS grants_of_client ON grants (client_id)',
  `CREATE TABLE IF NOT EXISTS codes (
    hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL REFERENCES grants ON DELETE CASCADE, redirect_uri TEXT NOT NULL,
    challenge TEXT NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER)`,
  `CREATE TABLE IF NOT EXISTS refresh_tokens (
    hash TEXT PRIMARY KEY, grant_id TEXT NOT NULL REFERENCES grants ON DELETE CASCADE, used_at INTEGER)`,
  'CREATE TABLE IF NOT EXISTS revoked_tokens (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL)',
  'CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL, created_at INTEGER NOT NULL)',
];

const expiring = ['links', 'sessions', 'revoked_tokens', 'grants'];

/** Deletes what has expired, at most once a minute, so that no table grows for ever and no timer is needed. */
export function createSweep(database: Database, clock: Clock): () => void {
  let sweptAt = clock.monotonic();
  return () => {
    if (clock.monotonic() - sweptAt < 60_000) return;
    sweptAt = clock.monotonic();
    const now = seconds(clock);
    for (const table of expiring) database.query(`DELETE FROM ${table} WHERE expires_at < $now`).run({ now });
  };
}

/** Seconds since the epoch, the unit of every stored time and of every claim. */
export function seconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}
