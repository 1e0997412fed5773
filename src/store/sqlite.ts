import { Database } from 'bun:sqlite';
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { migrations } from './migrations.ts';
import { asRow, integerOf } from './row.ts';
import type { SqlValue, Store } from './store.ts';

const busyTimeoutMs = 5_000;

/**
 * The embedded store. The file is made 0600 (its journal files take the same mode), erased rows are overwritten,
 * and missing migrations run first. `:memory:` keeps nothing. Throws where the file cannot be opened, and where a
 * later version of the program has already migrated it.
 */
export function openSqliteStore(path: string): Store {
  if (path !== ':memory:') makePrivate(path);
  const database = new Database(path, { create: true, strict: true });
  try {
    database.run(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    database.run('PRAGMA journal_mode = WAL');
    database.run('PRAGMA synchronous = NORMAL');
    database.run('PRAGMA secure_delete = ON');
    migrate(database);
  } catch (error) {
    database.close();
    throw error;
  }

  const run = (sql: string, params: readonly SqlValue[]) =>
    database.query<unknown, SqlValue[]>(sql).run(...params).changes;

  return {
    async all(sql, ...params) {
      return database.query<unknown, SqlValue[]>(sql).all(...params);
    },
    async run(sql, ...params) {
      return run(sql, params);
    },
    async batch(statements, how) {
      if (how?.isDurable) database.run('PRAGMA synchronous = FULL');
      try {
        database
          .transaction(() => {
            for (const { sql, params } of statements) run(sql, params);
          })
          .immediate();
      } finally {
        if (how?.isDurable) database.run('PRAGMA synchronous = NORMAL');
      }
    },
    async scrub() {
      database.query('PRAGMA wal_checkpoint(TRUNCATE)').all();
    },
    async close() {
      database.close();
    },
  };
}

function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}

function migrate(database: Database): void {
  const versionOf = () => integerOf(asRow(database.query('PRAGMA user_version').get()), 'user_version');
  if (versionOf() === migrations.length) return;
  database
    .transaction(() => {
      // Read again under the lock: another process may just have migrated.
      const version = versionOf();
      if (version > migrations.length) {
        throw new Error(
          `the database has schema version ${version}, this program knows ${migrations.length}: start a newer one`,
        );
      }
      for (const statement of migrations.slice(version).flat()) database.run(statement);
      database.run(`PRAGMA user_version = ${migrations.length}`);
    })
    .immediate();
}
