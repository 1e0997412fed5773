import { createSecretKey, type KeyObject } from 'node:crypto';
import { err, ok, type Result } from '#kernel/result.ts';
import { decrypt, decryptLater, encrypt, nonceBytes, tagBytes } from './aead.ts';
import { deriveKey, type Key, type KeyRing } from './key-ring.ts';

/** What a sealed text is for; one purpose's text never opens as another's. */
export type SealPurpose =
  | 'session'
  | 'request_state'
  | 'link_state'
  | 'pseudonym'
  /** The vault's own keys: bound to the owner's id, or to what the key is for. */
  | 'vault_key'
  /** Bound to the id of the flow. */
  | 'link_flow'
  /** Bound to the hash of the ticket. */
  | 'link_ticket'
  /** Bound to server, issuer and redirect URI. */
  | 'link_client'
  /** Bound to the browser and the issuer. */
  | 'sign_in'
  /** Bound to the issuer and the redirect URI. */
  | 'sign_in_client'
  /** Bound to the browser. */
  | 'page_session'
  /** Bound to nothing: any client may use any. */
  | 'proof_nonce';

/** `forged`: changed, cut, of another purpose or bound to something else; these cannot be told apart. */
export type OpenRefusal = 'malformed' | 'unknown_key' | 'forged';

/**
 * Seals short texts with AES-256-GCM. `bound` (associated data) must be the same at `open`: who or what the text
 * belongs to. It knows no expiry and no replay: put a time into the payload where that matters.
 * A sealed text is base64url, in the one spelling that opens, of: version 1, key id (6 bytes), nonce (12),
 * cipher text, tag (16).
 */
export interface Sealer {
  seal(purpose: SealPurpose, bound: readonly string[], payload: string): string;
  open(purpose: SealPurpose, bound: readonly string[], sealed: string): Result<string, OpenRefusal>;
  /** The same for a start, which need not load `node:crypto` for it. */
  openLater(
    purpose: SealPurpose,
    bound: readonly string[],
    sealed: string,
  ): Promise<Result<string, OpenRefusal>>;
}

const version = 1;
const idBytes = 6;
const headBytes = 1 + idBytes;

/** A sealer over a ring: seals with the newest key, opens with any. A random nonce a text is safe for 2^32 texts a key. */
export function createSealer(ring: KeyRing): Sealer {
  const known = new Map<string, KeyObject>();
  const keyFor = (key: Key, purpose: SealPurpose): KeyObject => {
    const name = `${key.id} ${purpose}`;
    const before = known.get(name);
    if (before !== undefined) return before;
    const fresh = createSecretKey(derived(key, purpose));
    known.set(name, fresh);
    return fresh;
  };

  return {
    seal(purpose, bound, payload) {
      const key = ring.newest;
      const head = Buffer.concat([Buffer.of(version), Buffer.from(key.id, 'base64url')]);
      const body = encrypt(keyFor(key, purpose), associated(key.id, purpose, bound), payload);
      return Buffer.concat([head, ...body]).toString('base64url');
    },

    open(purpose, bound, sealed) {
      const parts = partsOf(ring, sealed);
      if (!parts.ok) return parts;
      const { key, body } = parts.value;
      return opened(decrypt(keyFor(key, purpose), associated(key.id, purpose, bound), body));
    },

    async openLater(purpose, bound, sealed) {
      const parts = partsOf(ring, sealed);
      if (!parts.ok) return parts;
      const { key, body } = parts.value;
      return opened(await decryptLater(derived(key, purpose), associated(key.id, purpose, bound), body));
    },
  };
}

function derived(key: Key, purpose: SealPurpose): Buffer<ArrayBuffer> {
  return deriveKey(key, `cortex seal ${purpose}`);
}

function opened(payload: string | undefined): Result<string, OpenRefusal> {
  return payload === undefined ? err('forged') : ok(payload);
}

function partsOf(
  ring: KeyRing,
  sealed: string,
): Result<{ readonly key: Key; readonly body: Buffer<ArrayBuffer> }, OpenRefusal> {
  const bytes = Buffer.from(sealed, 'base64url');
  // The decoder skips foreign characters and unused bits; a second spelling of an id would escape its tombstone.
  if (bytes.toString('base64url') !== sealed) return err('malformed');
  if (bytes.length < headBytes + nonceBytes + tagBytes || bytes[0] !== version) return err('malformed');
  const id = keyIdOf(bytes);
  const key = ring.all.find((candidate) => candidate.id === id);
  return key === undefined ? err('unknown_key') : ok({ key, body: bytes.subarray(headBytes) });
}

/** The id of the key that sealed a text, as the text says it. */
export function sealedWith(sealed: string): string {
  return keyIdOf(Buffer.from(sealed, 'base64url'));
}

function keyIdOf(bytes: Buffer): string {
  return bytes.toString('base64url', 1, headBytes);
}

function associated(keyId: string, purpose: SealPurpose, bound: readonly string[]): Buffer<ArrayBuffer> {
  return Buffer.from(JSON.stringify([version, keyId, purpose, ...bound]));
}
