import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type KeyRing, parseKeyRing } from '#keys/key-ring.ts';
import { createSealer } from '#keys/sealer.ts';

function ringOf(...fills: number[]): KeyRing {
  const ring = parseKeyRing(fills.map((fill) => Buffer.alloc(32, fill).toString('hex')).join(','));
  if (!ring.ok) throw new Error(ring.error);
  return ring.value;
}
const sealer = createSealer(ringOf(1));
const bound = ['https://issuer', 'u1', 'client'];

test('what was sealed opens for the same purpose and the same bound data', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.string()), (payload, fields) => {
      const sealed = sealer.seal('session', fields, payload);
      expect(sealed).toMatch(/^[\w-]+$/);
      expect(sealer.open('session', fields, sealed)).toEqual({ ok: true, value: payload });
    }),
  );
});

test('the same payload never seals to the same text', () => {
  expect(sealer.seal('session', bound, 'x')).not.toBe(sealer.seal('session', bound, 'x'));
});

test('another purpose is refused', () => {
  const sealed = sealer.seal('session', bound, 'x');
  expect(sealer.open('request_state', bound, sealed)).toEqual({ ok: false, error: 'forged' });
});

test.each([
  [['https://issuer', 'u2', 'client']],
  [['https://issuer', 'u1']],
  [['https://issuer', 'u1', 'client', '']],
  [['https://issueru1', '', 'client']],
  [['https://issuer","u1', 'client']],
])('R11 R28: a text bound to one principal does not open for %j', (other) => {
  const sealed = sealer.seal('session', bound, 'x');
  expect(sealer.open('session', other, sealed)).toEqual({ ok: false, error: 'forged' });
});

test('R28: any changed or missing byte is refused', () => {
  const bytes = Buffer.from(sealer.seal('request_state', bound, 'the payload'), 'base64url');
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(sealer.open('request_state', bound, changed.toString('base64url')).ok).toBe(false);
    expect(sealer.open('request_state', bound, bytes.subarray(0, index).toString('base64url')).ok).toBe(
      false,
    );
  }
});

test('a second spelling of the same bytes is refused, so that an ended session cannot come back under another id', () => {
  const sealed = sealer.seal('session', bound, 'ab');
  expect(Buffer.from(sealed, 'base64url').length % 3).toBe(1);
  const last = sealed.at(-1) ?? '';
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const twin = sealed.slice(0, -1) + alphabet[alphabet.indexOf(last) + 1];
  expect(Buffer.from(twin, 'base64url').equals(Buffer.from(sealed, 'base64url'))).toBe(true);
  for (const spelling of [twin, `${sealed}=`, ` ${sealed}`, `${sealed}\n`]) {
    expect(sealer.open('session', bound, spelling)).toEqual({ ok: false, error: 'malformed' });
  }
});

test('rotation: old texts open while their key is in the ring, and not after', () => {
  const old = createSealer(ringOf(1)).seal('session', bound, 'x');
  const rotated = createSealer(ringOf(2, 1));
  expect(rotated.open('session', bound, old).ok).toBe(true);
  const fresh = rotated.seal('session', bound, 'y');
  expect(createSealer(ringOf(2)).open('session', bound, fresh).ok).toBe(true);
  expect(createSealer(ringOf(2)).open('session', bound, old)).toEqual({ ok: false, error: 'unknown_key' });
});

test.each(['', 'AQ', 'not base64url!', 'x'.repeat(100_000)])('garbage is malformed', (text) => {
  expect(sealer.open('session', bound, text)).toEqual({ ok: false, error: 'malformed' });
});

test('a start opens the same texts, and refuses the same, without `node:crypto`', async () => {
  const sealed = sealer.seal('vault_key', bound, 'x');
  const cut = sealed.slice(0, -1);
  const flipped = Buffer.from(sealed, 'base64url').map((byte, at) => (at === 25 ? byte ^ 1 : byte));
  for (const text of [sealed, cut, Buffer.from(flipped).toString('base64url'), '', sealed.slice(0, 20)]) {
    for (const [purpose, whose] of [
      ['vault_key', bound],
      ['session', bound],
      ['vault_key', ['other']],
    ] as const) {
      expect(await sealer.openLater(purpose, whose, text)).toEqual(sealer.open(purpose, whose, text));
    }
  }
  const foreign = createSealer(ringOf(2)).seal('vault_key', bound, 'x');
  expect(await sealer.openLater('vault_key', bound, foreign)).toEqual({ ok: false, error: 'unknown_key' });
});
