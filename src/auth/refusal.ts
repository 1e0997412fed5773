/** Every private reason for which a request has no principal; each has its row in docs/auth-errors.md. */
export const authRefusalReasons = [
  'token_in_query',
  'token_missing',
  'scheme_refused',
  'token_too_large',
  'token_malformed',
  'introspection_unavailable',
  'token_inactive',
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
  'dpop_required',
  'subject_missing',
  'pool_refused',
  'scope_missing',
  'revoked',
  'token_unbound',
  'proof_missing',
  'proof_malformed',
  'proof_signature_invalid',
  'proof_key_refused',
  'proof_request_mismatch',
  'proof_token_mismatch',
  'proof_expired',
  'proof_nonce_missing',
  'proof_nonce_stale',
  'proof_replayed',
  'proofs_full',
] as const;
export type AuthRefusalReason = (typeof authRefusalReasons)[number];

/** Why there is no principal: for log and audit, never for the caller. */
export interface AuthRefusal {
  readonly reason: AuthRefusalReason;
  /** A configured issuer, once the token named one. */
  readonly issuer: string | undefined;
  /** What exactly was wrong, bounded; may quote the token's header or claims, never the token. */
  readonly detail: string | undefined;
  /** The token came with this scheme, and the answer is to name it. Absent: `Bearer`, or none. */
  readonly scheme?: 'DPoP';
}

const maxDetailLength = 200;

export function refusal(reason: AuthRefusalReason, detail?: string): AuthRefusal {
  return { reason, issuer: undefined, detail: detail?.slice(0, maxDetailLength) };
}
