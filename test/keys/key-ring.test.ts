import { hkdfSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { deriveKey, parseKeyRing } from '#keys/key-ring.ts';

const a = Buffer.alloc(32, 1);
const b = Buffer.alloc(32, 0xfb);

test('keys are read as base64, base64url or hex, newest first, around commas, lines and comments', () => {
  const ring = parseKeyRing(`# newest\n${b.toString('base64')}, ${a.toString('hex')} # the old one\n`);
  const other = parseKeyRing(`${b.toString('base64url')}\n${a.toString('base64url')}`);
  if (!ring.ok || !other.ok) throw new Error('both must parse');
  expect(ring.value.all.map((key) => key.id)).toEqual(other.value.all.map((key) => key.id));
  expect(ring.value.newest).toBe(ring.value.all[0]);
  expect(ring.value.newest.id).toMatch(/^[\w-]{8}$/);
});

test.each([
  ['', 'empty'],
  ['# only a comment', 'empty'],
  ['password', 'not_a_key'],
  [Buffer.alloc(31).toString('base64url'), 'not_a_key'],
  [Buffer.alloc(33).toString('base64url'), 'not_a_key'],
  [`${a.toString('hex')} ${a.toString('base64')}`, 'duplicate'],
])('%j is refused as %s', (text, reason) => {
  expect(parseKeyRing(text)).toEqual({ ok: false, error: reason });
});

test('a key does not print its bytes', () => {
  const ring = parseKeyRing(a.toString('hex'));
  const printed = `${Bun.inspect(ring, { depth: 9 })}${JSON.stringify(ring)}`;
  for (const text of [a.toString('hex'), a.toString('base64url'), '1, 1, 1'])
    expect(printed).not.toContain(text);
});

test('another use of a key gives unrelated bytes', () => {
  const ring = parseKeyRing(a.toString('hex'));
  if (!ring.ok) throw new Error('must parse');
  expect(deriveKey(ring.value.newest, 'x').equals(deriveKey(ring.value.newest, 'x'))).toBe(true);
  expect(deriveKey(ring.value.newest, 'x').equals(deriveKey(ring.value.newest, 'y'))).toBe(false);
  expect(deriveKey(ring.value.newest, 'x').equals(a)).toBe(false);
});

test('the bytes of another use are HKDF-SHA256 as RFC 5869 has it', () => {
  const ring = parseKeyRing(a.toString('hex'));
  if (!ring.ok) throw new Error('must parse');
  for (const info of ['', 'x', 'cortex seal session', 'é'.repeat(200)]) {
    const expected = Buffer.from(hkdfSync('sha256', a, '', info, 32));
    expect(deriveKey(ring.value.newest, info).equals(expected)).toBe(true);
  }
});
