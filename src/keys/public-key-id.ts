/** The id of an Ed25519 public key, 32 bytes as base64url. */
export function publicKeyId(publicKey: string): string {
  const hash = new Bun.CryptoHasher('sha256').update('cortex public key id').update(publicKey).digest();
  return hash.subarray(0, 6).toString('base64url');
}
