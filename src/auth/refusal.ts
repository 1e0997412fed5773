/** Every private reason for which a request has no principal; each has its row in docs/auth-errors.md. */
export const authRefusalReasons = [
  'token_in_query',
  'token_missing',
  'scheme_refused',
  'token_too_large',
  'token_malformed',
  'issuer_unknown',
  'algorithm_refused',
  'type_refused',
  'critical_header',
  'keys_unavailable',
  'key_unknown',
  'key_unusable',
  'signature_invalid',
  'claim_missing',
  'claim_invalid',
  'expired',
  'too_old',
  'not_yet_valid',
  'audience_refused',
  'client_refused',
  'sender_constrained',
  'subject_missing',
  'pool_refused',
  'scope_missing',
  'revoked',
] as const;
export type AuthRefusalReason = (typeof authRefusalReasons)[number];

/** Why there is no principal: for log and audit, never for the caller. */
export interface AuthRefusal {
  readonly reason: AuthRefusalReason;
  /** A configured issuer, once the token named one. */
  readonly issuer: string | undefined;
  /** What exactly was wrong, bounded; may quote the token's header or claims, never the token. */
  readonly detail: string | undefined;
}

const maxDetailLength = 200;

export function refusal(reason: AuthRefusalReason, detail?: string): AuthRefusal {
  return { reason, issuer: undefined, detail: detail?.slice(0, maxDetailLength) };
}
