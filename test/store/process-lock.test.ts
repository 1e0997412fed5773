import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tryLock } from '#store/process-lock.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cortex-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('one holder at a time within a process', () => {
  const path = join(dir, 'a.lock');
  const held = tryLock(path);
  expect(held).toBeDefined();
  expect(tryLock(path)).toBeUndefined();
  held?.release();
  const again = tryLock(path);
  expect(again).toBeDefined();
  again?.release();
});

test('another process is kept out until the holder is killed', async () => {
  const path = join(dir, 'a.lock');
  const script = `import { tryLock } from '#store/process-lock.ts';
    globalThis.held = tryLock(${JSON.stringify(path)});
    console.log(globalThis.held === undefined ? 'refused' : 'held');
    setInterval(() => {}, 1000);`;
  const child = Bun.spawn(['bun', '-e', script], { stdout: 'pipe' });
  const reader = child.stdout.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('held\n');
  expect(tryLock(path)).toBeUndefined();
  child.kill('SIGKILL');
  await child.exited;
  const mine = tryLock(path);
  expect(mine).toBeDefined();
  mine?.release();
});

test('a path that cannot be opened throws instead of looking taken', () => {
  expect(() => tryLock(join(dir, 'missing', 'a.lock'))).toThrow();
});
