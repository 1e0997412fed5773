import { createHash, randomUUID } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** A client's key, and what it proves with it. */
export interface ProofKey {
  readonly jwk: JWK;
  readonly thumbprint: string;
  readonly privateKey: CryptoKey;
  /** A proof for a request; members of either part over the good ones, undefined to leave one out. */
  prove(
    target: { readonly url: string; readonly token: string; readonly nonce?: string; readonly iat: number },
    over?: { readonly header?: object; readonly payload?: object; readonly signer?: CryptoKey },
  ): Promise<string>;
}

export async function makeProofKey(alg = 'ES256'): Promise<ProofKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    jwk,
    thumbprint: await calculateJwkThumbprint(jwk),
    privateKey,
    prove({ url, token, nonce, iat }, over = {}) {
      const payload = {
        jti: randomUUID(),
        htm: 'POST',
        htu: url,
        iat,
        ath: createHash('sha256').update(token).digest('base64url'),
        nonce,
        ...over.payload,
      };
      return new SignJWT(JSON.parse(JSON.stringify(payload)))
        .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk, ...over.header })
        .sign(over.signer ?? privateKey);
    },
  };
}
