import type { Secret } from './secret.ts';

/**
 * Who calls, and what its token says. Absent claims are undefined, never `''`.
 * `key` identifies the principal everywhere: canonical JSON of [issuer, subject].
 */
export interface Principal {
  readonly kind: 'user' | 'client';
  readonly issuer: string;
  readonly subject: string;
  readonly key: string;
  readonly clientId: string | undefined;
  /** Scopes as the token lists them, after the issuer's ceiling. */
  readonly tokenScopes: readonly string[];
  /** `tokenScopes` closed under `scope_implies`; every decision reads this. */
  readonly scopes: ReadonlySet<string>;
  /** `scopes` sorted and joined by spaces: a cache key. */
  readonly scopeKey: string;
  readonly plan: string | undefined;
  readonly email: string | undefined;
  readonly role: string | undefined;
  readonly pool: string | undefined;
  readonly tokenId: string | undefined;
  readonly sessionId: string | undefined;
  /** What the issuer calls the consent that its tokens come from; most issuers name none. */
  readonly grantId: string | undefined;
  readonly audience: readonly string[];
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** The access token itself, and what kind it is (only a plain `jwt` may be propagated). */
  readonly token: Secret;
  readonly tokenKind: 'jwt' | 'opaque' | 'dpop';
  /** With `dpop`: the thumbprint of the key it is bound to (RFC 7638). */
  readonly boundTo?: string;
}

/** The canonical key of (issuer, subject). */
export function principalKey(issuer: string, subject: string): string {
  return JSON.stringify([issuer, subject]);
}

/** Whether every required scope is held. An empty list is never satisfied: what names no scope is not for anyone. */
export function holdsAll(held: ReadonlySet<string>, required: readonly string[]): boolean {
  if (required.length === 0) return false;
  for (const scope of required) if (!held.has(scope)) return false;
  return true;
}
