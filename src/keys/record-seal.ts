import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { decrypt, encrypt } from './aead.ts';

const version = 1;
const saltBytes = 16;

/**
 * Seals one record under its owner's key: HKDF-SHA256 (RFC 5869) with a fresh salt gives the key of this one text,
 * so no owner's key ever wears out. `bound` says whose record it is and which; it must be the same at `openRecord`.
 * The text is base64url of: version 1, salt (16 bytes), nonce (12), cipher text, tag (16).
 */
export function sealRecord(key: KeyObject, bound: readonly (string | number)[], payload: string): string {
  const salt = randomBytes(saltBytes);
  const body = encrypt(recordKey(key, salt), associated(bound), payload);
  return Buffer.concat([Buffer.of(version), salt, ...body]).toString('base64url');
}

/** The payload; undefined where the text was changed, is bound to something else, or was made with another key. */
export function openRecord(
  key: KeyObject,
  bound: readonly (string | number)[],
  sealed: string,
): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes[0] !== version) return undefined;
  const salt = bytes.subarray(1, 1 + saltBytes);
  return decrypt(recordKey(key, salt), associated(bound), bytes.subarray(1 + saltBytes));
}

function recordKey(key: KeyObject, salt: Buffer): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, salt, 'cortex vault record', 32)));
}

function associated(bound: readonly (string | number)[]): Buffer {
  return Buffer.from(JSON.stringify([version, ...bound]));
}
