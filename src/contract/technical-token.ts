import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '#kernel/secret.ts';

/** Whether a presented token is the backend's technical token; takes as long for every wrong token. */
export function isTechnicalToken(presented: string, expected: Secret): boolean {
  return timingSafeEqual(digest(presented), digest(expected.reveal()));
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
