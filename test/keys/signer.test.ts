import { expect, test } from 'vitest';
import { type KeyRing, parseKeyRing } from '#keys/key-ring.ts';
import { createSigner, createVerifier } from '#keys/signer.ts';

function ringOf(...fills: number[]): KeyRing {
  const ring = parseKeyRing(fills.map((fill) => Buffer.alloc(32, fill).toString('hex')).join(','));
  if (!ring.ok) throw new Error(ring.error);
  return ring.value;
}
const message = Buffer.from('head');

test('a public key alone verifies', () => {
  const signer = createSigner(ringOf(1));
  const verifier = createVerifier(signer.publicKeys);
  if (!verifier.ok) throw new Error(verifier.error);
  const signature = signer.sign(message);
  expect(verifier.value.has(signer.keyId)).toBe(true);
  expect(verifier.value.verify(signer.keyId, message, signature)).toBe(true);
  expect(verifier.value.verify(signer.keyId, Buffer.from('heaD'), signature)).toBe(false);
  expect(verifier.value.verify(signer.keyId, message, `${signature}=`)).toBe(false);
  expect(verifier.value.verify(signer.keyId, message, signature.slice(1))).toBe(false);
});

test('a foreign key does not verify, under its own id or a known one', () => {
  const [mine, foreign] = [createSigner(ringOf(1)), createSigner(ringOf(2))];
  const signature = foreign.sign(message);
  expect(mine.has(foreign.keyId)).toBe(false);
  expect(mine.verify(foreign.keyId, message, signature)).toBe(false);
  expect(mine.verify(mine.keyId, message, signature)).toBe(false);
});

test('rotation: the newest key signs, older signatures still verify', () => {
  const old = createSigner(ringOf(1));
  const rotated = createSigner(ringOf(2, 1));
  expect(rotated.keyId).not.toBe(old.keyId);
  expect(rotated.verify(old.keyId, message, old.sign(message))).toBe(true);
});

test('the signature is Ed25519 as RFC 8032 has it', () => {
  // RFC 8032 section 7.1, test 1.
  const ring = parseKeyRing('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
  if (!ring.ok) throw new Error(ring.error);
  const signer = createSigner(ring.value);
  const expected = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
  expect(signer.publicKeys).toEqual([Buffer.from(expected, 'hex').toString('base64url')]);
});

test.each(['', 'abc', 'A'.repeat(44), `${'A'.repeat(42)}!`])('%j is no public key', (text) => {
  expect(createVerifier([text])).toEqual({ ok: false, error: 'not_a_key' });
});
