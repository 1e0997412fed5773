import { expect, test } from 'vitest';
import { parseKeyRing } from '#keys/key-ring.ts';
import { createSigner } from '#keys/signer.ts';

function signerOf(...fills: number[]) {
  const ring = parseKeyRing(fills.map((fill) => Buffer.alloc(32, fill).toString('hex')).join(','));
  if (!ring.ok) throw new Error(ring.error);
  return createSigner(ring.value);
}
const message = Buffer.from('head');

test('what any key of the ring signed holds, and the ids are the signer’s', async () => {
  const old = signerOf(1);
  const deferred = await signerOf(2, 1).deferred();
  expect(deferred.has(signerOf(2).keyId)).toBe(true);
  expect(deferred.verify(signerOf(2).keyId, message, signerOf(2).sign(message))).toBe(true);
  expect(deferred.verify(old.keyId, message, old.sign(message))).toBe(true);
  expect(await deferred.holds()).toBe(true);
});

test.each([
  ['another message', (signature: string) => [Buffer.from('heaD'), signature] as const],
  ['a signature cut short', (signature: string) => [message, signature.slice(4)] as const],
  ['no signature', () => [message, ''] as const],
])('%s does not hold, and is forgotten once it was said', async (_name, forge) => {
  const signer = signerOf(1);
  const deferred = await signer.deferred();
  const [text, signature] = forge(signer.sign(message));
  const isBelieved = deferred.verify(signer.keyId, text, signature);
  expect(isBelieved && (await deferred.holds())).toBe(false);
  expect(await deferred.holds()).toBe(true);
});

test('a foreign key, and a second spelling of a signature, are refused at once', async () => {
  const [mine, foreign] = [signerOf(1), signerOf(2)];
  const deferred = await mine.deferred();
  expect(deferred.has(foreign.keyId)).toBe(false);
  expect(deferred.verify(foreign.keyId, message, foreign.sign(message))).toBe(false);
  expect(deferred.verify(mine.keyId, message, `${mine.sign(message)}=`)).toBe(false);
});
