import { createECDH, createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { deriveKey, type Key, type KeyRing } from './key-ring.ts';

/** A public key as RFC 7517 spells it. */
export interface PublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly use: 'sig';
  readonly alg: 'ES256';
}

/** Signs compact JWTs with ES256: what verifiers of every language know. */
export interface Es256Signer {
  /** `claims` as they are, under a header of `typ`, `alg` and `kid`. */
  sign(typ: string, claims: Readonly<Record<string, unknown>>): string;
  /** Of the whole ring, newest first: what an older key signed is verified until the key is taken out. */
  readonly publicKeys: readonly PublicJwk[];
}

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicJwk: PublicJwk;
}

/** ES256 over a ring: each key's 32 bytes give one private key (RFC 7518 section 3.4). */
export function createEs256Signer(ring: KeyRing): Es256Signer {
  const newest = keyPairOf(ring.newest);
  const heads = new Map<string, string>();

  function headOf(typ: string): string {
    const head = heads.get(typ) ?? encode({ alg: 'ES256', typ, kid: newest.publicJwk.kid });
    heads.set(typ, head);
    return head;
  }

  return {
    publicKeys: [newest.publicJwk, ...ring.all.slice(1).map((key) => keyPairOf(key).publicJwk)],
    sign(typ, claims) {
      const input = `${headOf(typ)}.${encode(claims)}`;
      const key = { key: newest.privateKey, dsaEncoding: 'ieee-p1363' } as const;
      return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
    },
  };
}

/** The order of P-256's group: a private key is a number below it, and not 0. */
const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');

function keyPairOf(key: Key): KeyPair {
  const scalar = scalarOf(key);
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(scalar);
  const point = curve.getPublicKey();
  const x = point.subarray(1, 33).toString('base64url');
  const y = point.subarray(33).toString('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x, y } as const;
  const d = scalar.toString('base64url');
  return {
    privateKey: createPrivateKey({ key: { ...jwk, d }, format: 'jwk' }),
    publicJwk: { ...jwk, kid: thumbprint(x, y), use: 'sig', alg: 'ES256' },
  };
}

/** One derivation in four billion is no private key; the next one then is. */
function scalarOf(key: Key): Buffer {
  for (let round = 0; ; round++) {
    const bytes = deriveKey(key, `cortex es256 ${round}`);
    if (bytes.compare(order) < 0 && bytes.some((byte) => byte !== 0)) return bytes;
  }
}

/** RFC 7638. */
function thumbprint(x: string, y: string): string {
  const canonical = JSON.stringify({ crv: 'P-256', kty: 'EC', x, y });
  return createHash('sha256').update(canonical).digest('base64url');
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
