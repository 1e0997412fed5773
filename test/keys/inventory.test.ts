import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Secret } from '#kernel/secret.ts';
import { openKeyInventory, openKeyRing, renewKeyRing } from '#keys/inventory.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';

const generated = {
  seal: { file: undefined },
  audit: { file: undefined },
  checkpoint: { file: undefined },
  assertion: { file: undefined },
};
const text = Buffer.alloc(32, 7).toString('base64url');
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cortex-keys-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function reasonOf(path: string): string {
  const ring = openKeyRing(dir, 'seal', { file: path }, 'read');
  return ring.ok ? 'opened' : ring.error.reason;
}

test('keys are made once, 0600 in a folder 0700, and survive a restart', () => {
  const keys = join(dir, 'keys');
  const first = openKeyInventory(keys, generated);
  const second = openKeyInventory(keys, generated);
  if (!first.ok || !second.ok) throw new Error('both must open');
  expect(second.value.seal.newest.id).toBe(first.value.seal.newest.id);
  expect(
    new Set(
      [first.value.seal, first.value.audit, first.value.checkpoint, first.value.assertion].map(
        (r) => r.newest.id,
      ),
    ).size,
  ).toBe(4);
  expect(statSync(keys).mode & 0o777).toBe(0o700);
  expect(readdirSync(keys).sort()).toEqual(['assertion.key', 'audit.key', 'checkpoint.key', 'seal.key']);
  for (const name of readdirSync(keys)) expect(statSync(join(keys, name)).mode & 0o777).toBe(0o600);
});

test('processes that start at once agree on one key', async () => {
  const script = `import { openKeyInventory } from '#keys/inventory.ts';
    const none = { file: undefined };
    const opened = openKeyInventory(${JSON.stringify(join(dir, 'keys'))}, { seal: none, audit: none, checkpoint: none, assertion: none });
    console.log(opened.ok ? opened.value.seal.newest.id : opened.error.reason);`;
  const runs = [1, 2, 3, 4, 5, 6].map(() => Bun.spawn(['bun', '-e', script], { stdout: 'pipe' }));
  const ids = await Promise.all(runs.map((run) => new Response(run.stdout).text()));
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).toMatch(/^[\w-]{8}\n$/);
  expect(readdirSync(join(dir, 'keys'))).toHaveLength(4);
});

test('a value comes before a file, and a list opens what older keys made', () => {
  const older = Buffer.alloc(32, 8).toString('base64url');
  const origin = { value: new Secret(`${text},${older}`), file: join(dir, 'nowhere') };
  const ring = openKeyRing(dir, 'seal', origin, 'read');
  expect(ring.ok && ring.value.all.length).toBe(2);
});

test.each([0o640, 0o604, 0o660, 0o644])('a key file of mode %i that others can use is refused', (mode) => {
  const path = join(dir, 'seal.key');
  writeFileSync(path, text);
  chmodSync(path, mode);
  expect(reasonOf(path)).toBe('exposed');
  expect(openKeyInventory(dir, generated)).toMatchObject({
    ok: false,
    error: { key: 'seal', reason: 'exposed' },
  });
});

test('a file the operator named is never made', () => {
  const path = join(dir, 'typo.key');
  const opened = openKeyInventory(dir, { ...generated, audit: { file: path } });
  expect(opened).toEqual({ ok: false, error: { key: 'audit', reason: 'missing', path } });
});

test('reading alone makes no key', () => {
  expect(openKeyRing(dir, 'checkpoint', { file: undefined }, 'read')).toMatchObject({
    ok: false,
    error: { reason: 'missing' },
  });
  expect(readdirSync(dir)).toEqual([]);
});

test('what is no key file is refused with its reason', () => {
  mkdirSync(join(dir, 'folder'));
  expect(reasonOf(join(dir, 'folder'))).toBe('not_a_file');
  spawnSync('mkfifo', ['-m', '600', join(dir, 'pipe')]);
  expect(reasonOf(join(dir, 'pipe'))).toBe('not_a_file');
  writeFileSync(join(dir, 'large'), 'x'.repeat(65 * 1024), { mode: 0o600 });
  expect(reasonOf(join(dir, 'large'))).toBe('too_large');
  writeFileSync(join(dir, 'words'), 'correct horse', { mode: 0o600 });
  expect(reasonOf(join(dir, 'words'))).toBe('not_a_key');
  writeFileSync(join(dir, 'plain'), 'x', { mode: 0o600 });
  expect(reasonOf(join(dir, 'plain', 'below'))).toBe('unreadable');
  const under = openKeyInventory(join(dir, 'plain', 'keys'), generated);
  expect(under.ok ? 'opened' : under.error.reason).toMatch(/unreadable|unwritable/);
});

test('a folder in which no key can be made is a problem, not a key in memory', () => {
  const opened = openKeyInventory('/proc/cortex-keys', generated);
  expect(opened).toMatchObject({ ok: false, error: { key: 'seal', reason: 'unwritable' } });
});

test('each problem says what to do, and none shows a key', () => {
  const reasons = [
    'missing',
    'unreadable',
    'not_a_file',
    'exposed',
    'too_large',
    'unwritable',
    'empty',
    'not_a_key',
    'duplicate',
  ] as const;
  const words = reasons.map((reason) => describeKeyProblem({ key: 'seal', reason, path: '/k' }));
  expect(new Set(words).size).toBe(reasons.length);
  expect(describeKeyProblem({ key: 'seal', reason: 'exposed', path: '/k' })).toContain('chmod 600 /k');
  const secret = describeKeyProblem({
    key: 'vault',
    reason: 'exposed',
    path: '/run/secrets/cortex_vault_key',
  });
  expect(secret).toContain('mode 0400');
  expect(describeKeyProblem({ key: 'audit', reason: 'empty', path: undefined })).toContain('keys.audit');
});

test.runIf(process.getuid?.() === 0)('a ring that root renews stays that of the gateway’s user', () => {
  const keys = join(dir, 'keys');
  openKeyInventory(keys, generated);
  chownSync(join(keys, 'seal.key'), 12_345, 12_345);
  expect(renewKeyRing(keys, 'seal', generated.seal, false).ok).toBe(true);
  const { uid, gid, mode } = statSync(join(keys, 'seal.key'));
  expect([uid, gid, mode & 0o777]).toEqual([12_345, 12_345, 0o600]);
});

test.runIf(process.getuid?.() === 0)(
  'attack: who owns the folder gets no file of root’s by putting a link where the new ring is written',
  async () => {
    const keys = join(dir, 'keys');
    openKeyInventory(keys, generated);
    const victim = join(dir, 'victim');
    writeFileSync(victim, 'of root');
    const program = `
      const { readdirSync, rmSync, symlinkSync } = require('node:fs');
      console.log('ready');
      for (;;) for (const name of readdirSync(process.argv[1])) if (name.endsWith('.new')) try {
        rmSync(process.argv[1] + '/' + name);
        symlinkSync(process.argv[2], process.argv[1] + '/' + name);
      } catch {}`;
    const attacker = Bun.spawn([process.execPath, '-e', program, keys, victim], { stdout: 'pipe' });
    await attacker.stdout.getReader().read();
    for (let turn = 0; turn < 20; turn += 1) {
      const ring = join(keys, 'seal.key');
      rmSync(ring, { force: true });
      writeFileSync(ring, `${text}\n`, { mode: 0o600 });
      chownSync(ring, 12_345, 12_345);
      renewKeyRing(keys, 'seal', generated.seal, false);
    }
    attacker.kill('SIGKILL');
    await attacker.exited;
    expect(statSync(victim).uid).toBe(0);
  },
);
