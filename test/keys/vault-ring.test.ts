import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '#kernel/secret.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import { createKeychain, type Keychain } from '#keys/keychain.ts';
import { openVaultRing, type VaultKeySources } from '#keys/vault-ring.ts';

const textOf = (fill: number) => Buffer.alloc(32, fill).toString('base64url');
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cortex-ring-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function sourcesOf(changes: Partial<VaultKeySources> = {}): VaultKeySources {
  return {
    text: undefined,
    file: undefined,
    credential: join(dir, 'credential'),
    dockerSecret: join(dir, 'secret'),
    keychain: false,
    generated: join(dir, 'keys', 'vault.key'),
    ...changes,
  };
}
function put(name: string, text: string, mode = 0o600): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}
function keychainOf(text?: string): Keychain & { text: string | undefined } {
  const keychain = {
    text,
    get: async () => keychain.text,
    set: async (next: string) => {
      keychain.text = next;
    },
  };
  return keychain;
}
async function open(changes: Partial<VaultKeySources> = {}, keychain: Keychain = keychainOf()) {
  const ring = await openVaultRing(sourcesOf(changes), 'create', { keychain });
  if (!ring.ok) throw new Error(`${ring.error.reason} ${ring.error.path}`);
  return ring.value;
}
async function refusal(changes: Partial<VaultKeySources>, how: 'read' | 'create' = 'create') {
  const ring = await openVaultRing(sourcesOf(changes), how, { keychain: keychainOf() });
  return ring.ok ? 'opened' : ring.error.reason;
}

test('the first place that holds keys counts', async () => {
  const file = put('file', textOf(2));
  const text = new Secret(`${textOf(1)},${textOf(9)}`);
  put('credential', textOf(3));
  put('secret', textOf(4));
  const seen = [];
  seen.push(await open({ text, file, keychain: true }));
  seen.push(await open({ file, keychain: true }));
  seen.push(await open({ keychain: true }));
  rmSync(join(dir, 'credential'));
  seen.push(await open({ keychain: true }));
  rmSync(join(dir, 'secret'));
  seen.push(await open({ keychain: true }));
  expect(existsSync(join(dir, 'keys'))).toBe(false);
  seen.push(await open());
  expect(seen.map(({ place }) => place)).toEqual([
    'text',
    'file',
    'credential',
    'docker_secret',
    'keychain',
    'generated',
  ]);
  expect(new Set(seen.map(({ newest }) => newest.id)).size).toBe(6);
  expect(seen[0]?.all).toHaveLength(2);
  expect(statSync(join(dir, 'keys', 'vault.key')).mode & 0o777).toBe(0o600);
});

test('a generated key is the same after a restart, and is not made by reading', async () => {
  expect(await refusal({}, 'read')).toBe('missing');
  const first = await open();
  expect((await open()).newest.id).toBe(first.newest.id);
});

test('a named file is never made', async () => {
  expect(await refusal({ file: join(dir, 'typo') })).toBe('missing');
});

test.each([0o640, 0o604, 0o644, 0o666])('a key file of mode %i is refused', async (mode) => {
  expect(await refusal({ file: put('file', textOf(1), mode) })).toBe('exposed');
  put('secret', textOf(1), mode);
  expect(await refusal({})).toBe('exposed');
});

test('a systemd credential may show its access list as the group’s right to read, and no more', async () => {
  put('credential', textOf(1), 0o440);
  expect((await open()).place).toBe('credential');
  for (const mode of [0o444, 0o460, 0o404]) {
    put('credential', textOf(1), mode);
    expect(await refusal({})).toBe('exposed');
  }
});

test('what is no list of keys is refused', async () => {
  expect(await refusal({ text: new Secret('correct horse') })).toBe('not_a_key');
  expect(await refusal({ file: put('file', '') })).toBe('empty');
});

describe('a new key', () => {
  test('goes on top of a generated file, and older ones stay until they are forgotten', async () => {
    const ring = await open();
    const first = ring.newest.id;
    expect(await ring.renew()).toEqual({ ok: true, value: undefined });
    expect(ring.newest.id).not.toBe(first);
    expect(ring.all.map((key) => key.id)).toEqual([ring.newest.id, first]);
    expect(statSync(join(dir, 'keys', 'vault.key')).mode & 0o777).toBe(0o600);
    expect((await open()).all.map((key) => key.id)).toEqual([ring.newest.id, first]);
    await ring.forgetOld();
    expect(ring.all).toHaveLength(1);
    expect((await open()).all.map((key) => key.id)).toEqual([ring.newest.id]);
  });

  test('goes on top of the keychain’s list', async () => {
    const keychain = keychainOf();
    const ring = await open({ keychain: true }, keychain);
    const first = ring.newest.id;
    await ring.renew();
    expect(ring.all.map((key) => key.id)).toEqual([ring.newest.id, first]);
    expect((await open({ keychain: true }, keychain)).newest.id).toBe(ring.newest.id);
    await ring.forgetOld();
    expect((await open({ keychain: true }, keychain)).all).toHaveLength(1);
  });

  test('is the operator’s to make where the operator keeps the keys', async () => {
    const file = put('file', textOf(1));
    for (const ring of [await open({ text: new Secret(textOf(1)) }), await open({ file })]) {
      expect(await ring.renew()).toEqual({ ok: false, error: 'kept_elsewhere' });
      expect(await ring.forgetOld()).toEqual({ ok: false, error: 'kept_elsewhere' });
    }
    expect(readFileSync(file, 'utf8')).toBe(textOf(1));
  });

  test('that another process made is seen at once', async () => {
    const here = await open();
    const there = await open();
    await here.renew();
    expect(there.newest.id).toBe(here.newest.id);
    expect(there.all).toHaveLength(2);
  });

  test('that the operator wrote over the old one leaves the old one usable until a restart', async () => {
    const file = put('file', textOf(1));
    const ring = await open({ file });
    const first = ring.newest.id;
    put('file', textOf(2));
    expect(ring.newest.id).not.toBe(first);
    expect(ring.all.map((key) => key.id)).toEqual([ring.newest.id, first]);
  });
});

test('a file that went bad while serving leaves the ring as it was, and is told', async () => {
  const file = put('file', textOf(1));
  const problems: string[] = [];
  const ring = await openVaultRing(sourcesOf({ file }), 'create', {
    onProblem: (problem) => problems.push(problem.reason),
  });
  if (!ring.ok) throw new Error(ring.error.reason);
  const first = ring.value.newest.id;
  for (const text of ['', 'nonsense']) {
    put('file', text);
    expect(ring.value.newest.id).toBe(first);
  }
  rmSync(file);
  expect(ring.value.all.map((key) => key.id)).toEqual([first]);
  expect(problems).toEqual(['empty', 'not_a_key', 'missing']);
});

test('a keychain that is not there is said, and nothing is made in its place', async () => {
  const broken: Keychain = { get: () => Promise.reject(new Error('locked')), set: async () => {} };
  const ring = await openVaultRing(sourcesOf({ keychain: true }), 'create', { keychain: broken });
  if (ring.ok) throw new Error('must be refused');
  expect(ring.error.reason).toBe('no_keychain');
  expect(describeKeyProblem(ring.error)).toContain('keys.vault.file');
  expect(existsSync(join(dir, 'keys'))).toBe(false);
});

test('the keychain of this machine answers or throws', async () => {
  const outcome = await createKeychain()
    .get()
    .then(
      (text) => text ?? 'empty',
      () => 'none',
    );
  expect(typeof outcome).toBe('string');
});
