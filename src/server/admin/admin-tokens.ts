import { timingSafeEqual } from 'node:crypto';
import type { Secret } from '#kernel/secret.ts';
import type { OperatorRole } from '../operation.ts';

export interface AdminTokenSettings {
  readonly token: Secret;
  readonly role: OperatorRole;
}

/** Who shows a token: what the audit calls its holder, and what the holder may do. */
export interface Operator {
  readonly name: string;
  readonly role: OperatorRole;
  /** Of the token: another one under the same name is another operator. */
  readonly digest: Buffer;
}

export interface AdminTokens {
  /** Compares with every token, in the same time wherever they differ and whichever it is. */
  find(given: string): Operator | undefined;
  /** Who holds the name now, if it is still by that token. */
  holder(name: string, digest: Buffer): Operator | undefined;
}

/**
 * Digests under a key of this process are compared and never the tokens: they have one length, and nobody can choose
 * two that begin alike.
 */
export function createAdminTokens(
  tokens: ReadonlyMap<string, AdminTokenSettings>,
  key: Uint8Array,
): AdminTokens {
  const digestOf = (text: string) => new Bun.CryptoHasher('sha256', key).update(text).digest();
  const operators = [...tokens].map(([name, { token, role }]): Operator => {
    return { name, role, digest: digestOf(token.reveal()) };
  });
  const findDigest = (digest: Buffer) => {
    let found: Operator | undefined;
    for (const operator of operators) if (timingSafeEqual(operator.digest, digest)) found = operator;
    return found;
  };
  return {
    find: (given) => findDigest(digestOf(given)),
    holder(name, digest) {
      const operator = findDigest(digest);
      return operator?.name === name ? operator : undefined;
    },
  };
}
