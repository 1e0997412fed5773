import { createHash, timingSafeEqual } from 'node:crypto';

/** 256 random bits as base64url: codes, refresh tokens, links, cookies. Only its hash is ever stored. */
export function newOpaque(): string {
  return crypto.getRandomValues(Buffer.alloc(32)).toString('base64url');
}

/** SHA-256 as base64url: what the database holds instead of a secret. Enough, as every secret has 256 random bits. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Compares two hashes in constant time. */
export function isSameHash(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
