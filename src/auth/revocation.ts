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
   * Seconds since the epoch: tokens with `iat <= before` are refused, so that a new sign-in works. Undefined: those
   * issued until now. Means nothing for `token`.
   */
  readonly before: number | undefined;
}

/** What was in use and has been ended. */
export interface Ended {
  readonly streams: number;
  readonly calls: number;
}

/** Every replica has confirmed: no request that begins now is answered for what was denied. */
export interface Acknowledgement {
  readonly replicas: number;
  readonly ms: number;
  readonly closed: Ended;
}

/**
 * Nothing was acknowledged. `value_refused`: a value that no token can hold; `list_full`: the issuer has too many
 * that still matter; `store_failed`: it would be forgotten at a restart; `replica_silent`: it is kept, but not
 * everywhere yet.
 */
export interface DenyFailure {
  readonly reason: 'value_refused' | 'list_full' | 'store_failed' | 'replica_silent';
  readonly message: string;
}

/** Says what an issuer has revoked; for whoever must not speak for another one. */
export interface IssuerRevoker {
  deny(
    revocations: readonly Omit<Revocation, 'issuer'>[],
    source: string,
  ): Promise<Result<Acknowledgement, DenyFailure>>;
}
