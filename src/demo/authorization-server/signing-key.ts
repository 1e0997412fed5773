import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importPKCS8,
  type JWK,
} from 'jose';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: CryptoKey;
  /** The public half, as the key set publishes it. */
  readonly publicJwk: JWK;
}

/** The RS256 key of the server: read from `file`, made there with mode 0600 where it is absent, or new at each start. */
export async function loadSigningKey(file: string | undefined): Promise<SigningKey> {
  if (file !== undefined && existsSync(file)) {
    return withId(await importPKCS8(readFileSync(file, 'utf8'), 'RS256', { extractable: true }));
  }
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  if (file !== undefined) {
    writeFileSync(file, await exportPKCS8(privateKey), { mode: 0o600, flag: 'wx' });
    chmodSync(file, 0o600);
  }
  return withId(privateKey);
}

async function withId(privateKey: CryptoKey): Promise<SigningKey> {
  const { kty, n, e } = await exportJWK(privateKey);
  if (kty !== 'RSA' || n === undefined || e === undefined)
    throw new Error('The signing key must be an RSA key.');
  const kid = await calculateJwkThumbprint({ kty, n, e });
  return { kid, privateKey, publicJwk: { kty, n, e, kid, alg: 'RS256', use: 'sig' } };
}
