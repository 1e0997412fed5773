import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

export const nonceBytes = 12;
export const tagBytes = 16;

/** AES-256-GCM under a fresh random nonce: nonce (12 bytes), cipher text, tag (16). */
export function encrypt(key: KeyObject, associated: Buffer, payload: string): readonly Buffer[] {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(associated);
  return [nonce, cipher.update(payload, 'utf8'), cipher.final(), cipher.getAuthTag()];
}

/** What `encrypt` made, joined; undefined where the key, the associated data or a byte is another. */
export function decrypt(key: KeyObject, associated: Buffer, bytes: Buffer): string | undefined {
  if (bytes.length < nonceBytes + tagBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(associated);
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  try {
    const start = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
    return Buffer.concat([start, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

/** The same by WebCrypto, which is there without loading a module: for a start. */
export async function decryptLater(
  key: Uint8Array<ArrayBuffer>,
  associated: Buffer<ArrayBuffer>,
  bytes: Buffer<ArrayBuffer>,
): Promise<string | undefined> {
  if (bytes.length < nonceBytes + tagBytes) return undefined;
  const name = 'AES-GCM';
  const imported = await crypto.subtle.importKey('raw', key, name, false, ['decrypt']);
  const given = {
    name,
    iv: bytes.subarray(0, nonceBytes),
    additionalData: associated,
    tagLength: tagBytes * 8,
  };
  try {
    return Buffer.from(await crypto.subtle.decrypt(given, imported, bytes.subarray(nonceBytes))).toString(
      'utf8',
    );
  } catch {
    return undefined;
  }
}
