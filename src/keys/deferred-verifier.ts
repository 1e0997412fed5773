import { publicKeyId } from './public-key-id.ts';

/**
 * Verifies Ed25519 signatures with WebCrypto, which is there without loading a module and works on other threads.
 * `verify` believes a signature for the moment: what was believed counts only once `holds` said so.
 */
export interface DeferredVerifier {
  has(keyId: string): boolean;
  verify(keyId: string, message: Uint8Array, signature: string): boolean;
  /** Whether every signature that was believed since it was last asked is good. */
  holds(): Promise<boolean>;
}

/** With the public keys of these private ones: PKCS#8 (RFC 8410). */
export async function createDeferredVerifier(privateKeys: readonly Uint8Array[]): Promise<DeferredVerifier> {
  const keys = new Map<string, CryptoKey>();
  for (const [id, key] of await Promise.all(privateKeys.map(publicKeyOf))) keys.set(id, key);
  const believed: Promise<boolean>[] = [];
  return {
    has: (keyId) => keys.has(keyId),
    verify(keyId, message, signature) {
      const key = keys.get(keyId);
      const bytes = Buffer.from(signature, 'base64url');
      if (key === undefined || bytes.toString('base64url') !== signature) return false;
      believed.push(crypto.subtle.verify('Ed25519', key, bytes, Buffer.from(message)).catch(() => false));
      return true;
    },
    holds: async () => (await Promise.all(believed.splice(0))).every(Boolean),
  };
}

async function publicKeyOf(pkcs8: Uint8Array): Promise<readonly [id: string, key: CryptoKey]> {
  const pair = await crypto.subtle.importKey('pkcs8', Buffer.from(pkcs8), 'Ed25519', true, ['sign']);
  const { x = '' } = await crypto.subtle.exportKey('jwk', pair);
  const jwk = { kty: 'OKP', crv: 'Ed25519', x };
  return [publicKeyId(x), await crypto.subtle.importKey('jwk', jwk, 'Ed25519', false, ['verify'])];
}
