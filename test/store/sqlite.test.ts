import { Database } from 'bun:sqlite';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrations } from '#store/migrations.ts';
import { addPseudonymRow, erasePseudonymRows, findPseudonymRow } from '#store/pseudonym-rows.ts';
import { asRow, integerOf, optionalIntegerOf, textOf } from '#store/row.ts';
import { openSqliteStore } from '#store/sqlite.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cortex-store-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('rows survive a restart', async () => {
  const path = join(dir, 'state', 'cortex.db');
  const first = openSqliteStore(path);
  await addPseudonymRow(first, { lookup: 'a', sealed: 's', createdAt: 1 });
  await first.close();
  const second = openSqliteStore(path);
  expect(await findPseudonymRow(second, 'a')).toBe('s');
  await second.close();
});

test('the database and its journal files are readable by the owner only, even where the file was open before', async () => {
  const path = join(dir, 'cortex.db');
  await Bun.write(path, '');
  const store = openSqliteStore(path);
  await addPseudonymRow(store, { lookup: 'a', sealed: 's', createdAt: 1 });
  for (const suffix of ['', '-wal', '-shm']) expect(statSync(path + suffix).mode & 0o077).toBe(0);
  await store.close();
});

test('a batch that fails halfway changes nothing', async () => {
  const store = openSqliteStore(':memory:');
  const insert = 'INSERT INTO session_tombstones (session, expires_at) VALUES (?, ?)';
  const failing = store.batch([
    { sql: insert, params: ['a', 1] },
    { sql: insert, params: ['a', 2] },
  ]);
  await expect(failing).rejects.toThrow(/UNIQUE/);
  expect(await store.all('SELECT * FROM session_tombstones')).toEqual([]);
});

test('a database of a later version is refused', () => {
  const path = join(dir, 'cortex.db');
  const database = new Database(path);
  database.run(`PRAGMA user_version = ${migrations.length + 1}`);
  database.close();
  expect(() => openSqliteStore(path)).toThrow(/schema version/);
});

test('two processes that start at once on a new file both find the schema', async () => {
  const path = join(dir, 'cortex.db');
  const script = `import { openSqliteStore } from '#store/sqlite.ts';
    const store = openSqliteStore(${JSON.stringify(path)});
    console.log((await store.all('SELECT count(*) AS n FROM tickets'))[0].n);`;
  const runs = Array.from({ length: 6 }, () =>
    Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'pipe' }),
  );
  for (const run of runs) {
    const [said, complained] = await Promise.all([
      new Response(run.stdout).text(),
      new Response(run.stderr).text(),
    ]);
    expect([said, complained]).toEqual(['0\n', '']);
  }
});

test('an erased row is left neither in the database nor in its journal', async () => {
  const path = join(dir, 'cortex.db');
  const store = openSqliteStore(path);
  await addPseudonymRow(store, { lookup: 'l', sealed: 'needle-in-the-file', createdAt: 1 });
  const holdsNeedle = () =>
    [path, `${path}-wal`].some((file) => readFileSync(file).includes('needle-in-the-file'));
  expect(holdsNeedle()).toBe(true);
  await erasePseudonymRows(store, ['l']);
  expect(holdsNeedle()).toBe(false);
  await store.close();
});

test('a row of another shape than its table is a bug that throws', () => {
  expect(() => asRow(7)).toThrow(/no object/);
  expect(() => textOf({ a: 7 }, 'a')).toThrow(/no text/);
  expect(() => integerOf({ a: 'x' }, 'a')).toThrow(/no integer/);
  expect(optionalIntegerOf({ a: null }, 'a')).toBeUndefined();
});
