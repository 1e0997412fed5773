import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { err, ok, type Result } from '#kernel/result.ts';
import { createDeferredVerifier, type DeferredVerifier } from './deferred-verifier.ts';
import type { Key, KeyRing } from './key-ring.ts';
import { publicKeyId } from './public-key-id.ts';

/** Ed25519 public keys by id. */
export interface Verifier {
  has(keyId: string): boolean;
  verify(keyId: string, message: Uint8Array, signature: string): boolean;
  /** Whether any of the keys made the signature. */
  verifyAny(message: Uint8Array, signature: string): boolean;
}

/** Signs with the ring's newest key (Ed25519, RFC 8032; signatures are base64url). */
export interface Signer extends Verifier {
  readonly keyId: string;
  sign(message: Uint8Array): string;
  /** The public keys of the whole ring, newest first: 32 bytes as base64url, what `createVerifier` takes. */
  readonly publicKeys: readonly string[];
  /** A verifier of the same keys for a start: it works beside it. */
  deferred(): Promise<DeferredVerifier>;
}

/** Ed25519 over a ring: each key's 32 bytes are the private key. Nothing is computed before it is asked for. */
export function createSigner(ring: KeyRing): Signer {
  const privateKey = once(() => privateKeyOf(ring.newest));
  const publicKeys = once(() => ring.all.map((key) => textOf(createPublicKey(privateKeyOf(key)))));
  const keyId = once(() => publicKeyId(publicKeys()[0] ?? ''));
  const verifier = once(() => {
    const made = createVerifier(publicKeys());
    if (!made.ok) throw new Error('a key ring without an Ed25519 key');
    return made.value;
  });
  return {
    get keyId() {
      return keyId();
    },
    get publicKeys() {
      return publicKeys();
    },
    has: (id) => verifier().has(id),
    verify: (id, message, signature) => verifier().verify(id, message, signature),
    verifyAny: (message, signature) => verifier().verifyAny(message, signature),
    sign: (message) => sign(null, message, privateKey()).toString('base64url'),
    deferred: () => createDeferredVerifier(ring.all.map(pkcs8Of)),
  };
}

function once<Made>(make: () => Made): () => Made {
  let made: { readonly value: Made } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Verifies with public keys alone, as an auditor does. */
export function createVerifier(publicKeys: readonly string[]): Result<Verifier, 'not_a_key'> {
  const keys = new Map<string, KeyObject>();
  for (const text of publicKeys) {
    const key = publicKeyOf(text);
    if (key === undefined) return err('not_a_key');
    keys.set(publicKeyId(text), key);
  }
  const fits = (key: KeyObject, message: Uint8Array, signature: string): boolean => {
    const bytes = Buffer.from(signature, 'base64url');
    return bytes.toString('base64url') === signature && verify(null, message, key, bytes);
  };
  return ok({
    has: (keyId) => keys.has(keyId),
    verify(keyId, message, signature) {
      const key = keys.get(keyId);
      return key !== undefined && fits(key, message, signature);
    },
    verifyAny: (message, signature) => [...keys.values()].some((key) => fits(key, message, signature)),
  });
}

/** PKCS#8 for Ed25519 (RFC 8410): a fixed head, then the 32 bytes. */
function pkcs8Of(key: Key): Buffer {
  return Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), key.bytes()]);
}

function privateKeyOf(key: Key): KeyObject {
  return createPrivateKey({ key: pkcs8Of(key), format: 'der', type: 'pkcs8' });
}

function publicKeyOf(text: string): KeyObject | undefined {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return undefined;
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: text }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

function textOf(publicKey: KeyObject): string {
  const { x } = publicKey.export({ format: 'jwk' });
  if (x === undefined) throw new Error('no Ed25519 public key');
  return x;
}
