import { createLocalJWKSet, errors, type JSONWebKeySet } from 'jose';
import { canonicalJson, isJsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { AcceptedHeader } from './peek-token.ts';

/** One issuer's public keys as they were at one fetch. */
export interface KeySet {
  readonly size: number;
  /** Equal for equal keys in equal order. */
  readonly fingerprint: string;
  /** The keys a header may mean: one, or several where kids repeat or the header has none. */
  candidates(header: AcceptedHeader): Promise<Result<readonly CryptoKey[], 'key_unknown' | 'key_unusable'>>;
}

/** Parses a JWKS document (RFC 7517 section 5). The error is for the log. */
export function parseKeySet(document: unknown): Result<KeySet, string> {
  if (!isKeySet(document)) return err('the document is no JWKS');
  if (document.keys.length > limits.maxKeysPerIssuer) {
    return err(`the JWKS holds ${document.keys.length} keys, more than ${limits.maxKeysPerIssuer}`);
  }
  const keyFor = createLocalJWKSet(document);
  return ok({
    size: document.keys.length,
    fingerprint: canonicalJson(document.keys),
    async candidates(header) {
      try {
        return ok([await keyFor({ ...header })]);
      } catch (error) {
        if (error instanceof errors.JWKSNoMatchingKey) return err('key_unknown');
        if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return err('key_unusable');
        const keys = await Array.fromAsync(error);
        return keys.length === 0 ? err('key_unusable') : ok(keys);
      }
    },
  });
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return isJsonObject(value) && Array.isArray(value.keys) && value.keys.every(isKey);
}

function isKey(value: unknown): boolean {
  return isJsonObject(value) && typeof value.kty === 'string';
}
