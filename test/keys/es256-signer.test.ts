import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose';
import { expect, test } from 'vitest';
import { createEs256Signer } from '#keys/es256-signer.ts';
import { parseKeyRing } from '#keys/key-ring.ts';

const older = 'a'.repeat(64);
const newer = 'b'.repeat(64);

function signerOf(text: string) {
  const ring = parseKeyRing(text);
  if (!ring.ok) throw new Error(ring.error);
  return createEs256Signer(ring.value);
}

test('what is signed is verified with the published key, whose id is its thumbprint (RFC 7638)', async () => {
  const signer = signerOf(older);
  const [key] = signer.publicKeys;
  if (key === undefined) throw new Error('no key');
  expect(key).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
  expect(Object.keys(key)).not.toContain('d');
  expect(key.kid).toBe(await calculateJwkThumbprint(key));
  const { payload, protectedHeader } = await jwtVerify(
    signer.sign('at+jwt', { iss: 'x', n: 1 }),
    createLocalJWKSet({ keys: [...signer.publicKeys] }),
  );
  expect(payload).toEqual({ iss: 'x', n: 1 });
  expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: key.kid });
});

test('one ring always gives the same key, and another ring another', () => {
  expect(signerOf(older).publicKeys).toEqual(signerOf(older).publicKeys);
  expect(signerOf(older).publicKeys).not.toEqual(signerOf(newer).publicKeys);
});

test('after a rotation the older key is still published, and signs no more', async () => {
  const before = signerOf(older);
  const after = signerOf(`${newer}\n${older}`);
  expect(after.publicKeys.map(({ kid }) => kid)).toEqual([
    signerOf(newer).publicKeys[0]?.kid,
    before.publicKeys[0]?.kid,
  ]);
  const keys = createLocalJWKSet({ keys: [...after.publicKeys] });
  await jwtVerify(before.sign('at+jwt', {}), keys);
  const { protectedHeader } = await jwtVerify(after.sign('at+jwt', {}), keys);
  expect(protectedHeader.kid).toBe(after.publicKeys[0]?.kid);
});
