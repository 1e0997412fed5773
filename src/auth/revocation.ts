import type { Result } from '#kernel/result.ts';

const revocationKinds = ['token', 'session', 'subject', 'client', 'grant', 'issuer'] as const;
export type RevocationKind = (typeof revocationKinds)[number];

export function isRevocationKind(value: string): value is RevocationKind {
  return revocationKinds.some((kind) => kind === value);
}

/** What is denied: values as the tokens of `issuer` name them, after its claim preset. */
export interface Revocation {
  readonly kind: RevocationKind;
  readonly issuer: string;
  /** `''` for `issuer`. */
  readonly value: string;
  /**
   * Seconds since the epoch, by the issuer's clock: tokens with `iat <= before` are refused, so that a new sign-in
   * works. Undefined: those issued until now. Means nothing for `token`.
   */
  readonly before: number | undefined;
  /** The name of the audit by which a subject was asked for: its record says no other. */
  readonly pseudonym?: string;
}

/** What was in use and has been ended. */
export interface Ended {
  readonly streams: number;
  readonly calls: number;
}

/** Every replica has confirmed: nothing is answered any more for what was denied. */
export interface Acknowledgement {
  readonly replicas: number;
  readonly ms: number;
  readonly closed: Ended;
}

/**
 * Nothing was acknowledged. `value_refused`: what no token can hold; `list_full`: too many of the issuer's still matter;
 * `store_failed`: denied until a restart, which would forget it; `replica_silent`: kept, but not known to hold everywhere.
 */
export interface DenyFailure {
  readonly reason: 'value_refused' | 'list_full' | 'store_failed' | 'replica_silent';
  readonly message: string;
}

/** Says what one issuer has revoked: whoever holds it cannot speak for another. */
export interface IssuerRevoker {
  deny(
    revocations: readonly Omit<Revocation, 'issuer'>[],
    source: string,
  ): Promise<Result<Acknowledgement, DenyFailure>>;
}
