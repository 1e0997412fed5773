import { createSecretKey, type KeyObject } from 'node:crypto';
import { err, ok, type Result } from '#kernel/result.ts';

const keyBytes = 32;

/** A 32-byte key; printing it shows no byte of it. */
export interface Key {
  /** Follows from the key's bytes: 8 characters of base64url. */
  readonly id: string;
  /** Made when it is first asked for: a start that needs none loads no `node:crypto`. */
  readonly secret: KeyObject;
  /** A copy of the 32 bytes. */
  bytes(): Buffer;
}

/** One use's keys: the newest makes, all of them open. */
export interface KeyRing {
  readonly newest: Key;
  /** Newest first, `newest` included. */
  readonly all: readonly Key[];
}

export type KeyTextProblem = 'empty' | 'not_a_key' | 'duplicate';

/**
 * Reads a list of keys, newest first: 32 bytes each, as base64, base64url or hex, separated by commas or white
 * space; `#` starts a comment that ends with its line.
 */
export function parseKeyRing(text: string): Result<KeyRing, KeyTextProblem> {
  const words = text
    .replace(/#.*$/gm, '')
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  const keys: Key[] = [];
  for (const word of words) {
    const bytes = bytesOf(word);
    if (bytes === undefined) return err('not_a_key');
    const key = keyOf(bytes);
    if (keys.some((other) => other.id === key.id)) return err('duplicate');
    keys.push(key);
  }
  const [newest] = keys;
  return newest === undefined ? err('empty') : ok({ newest, all: keys });
}

/** A 32-byte key for one use of `key`; another `info` gives an unrelated one (RFC 5869, SHA-256). */
export function deriveKey(key: Key, info: string): Buffer<ArrayBuffer> {
  const extracted = hmac(Buffer.alloc(keyBytes), key.bytes());
  return hmac(extracted, Buffer.concat([Buffer.from(info), Buffer.of(1)]));
}

function hmac(key: Buffer, text: Buffer): Buffer<ArrayBuffer> {
  return Buffer.from(new Bun.CryptoHasher('sha256', key).update(text).digest());
}

/** The ring of the keys that `deriveKey` gives, in the same order: for another use of the same secrets. */
export function deriveRing(ring: KeyRing, info: string): KeyRing {
  const derived = (key: Key) => keyOf(deriveKey(key, info));
  return { newest: derived(ring.newest), all: ring.all.map(derived) };
}

function keyOf(bytes: Buffer): Key {
  const id = new Bun.CryptoHasher('sha256').update('cortex key id').update(bytes).digest().subarray(0, 6);
  let secret: KeyObject | undefined;
  return {
    id: id.toString('base64url'),
    get secret() {
      secret ??= createSecretKey(bytes);
      return secret;
    },
    bytes: () => Buffer.from(bytes),
  };
}

function bytesOf(word: string): Buffer | undefined {
  if (/^[0-9a-fA-F]{64}$/.test(word)) return Buffer.from(word, 'hex');
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(word)) return undefined;
  const bytes = Buffer.from(word, 'base64');
  return bytes.length === keyBytes ? bytes : undefined;
}
