/** Every reason for which a security event or a logout token is not acted upon; each has its row in docs/revocation-feeds.md. */
export const feedRefusalReasons = [
  'unauthenticated',
  'busy',
  'too_large',
  'malformed',
  'issuer_unknown',
  'algorithm_refused',
  'type_refused',
  'critical_header',
  'keys_unavailable',
  'key_unknown',
  'key_unusable',
  'signature_invalid',
  'issuer_refused',
  'audience_refused',
  'claim_missing',
  'claim_invalid',
  'expired',
  'too_old',
  'not_yet_valid',
  'nonce_refused',
  'events_refused',
  'subject_foreign',
  'not_stored',
] as const;
export type FeedRefusalReason = (typeof feedRefusalReasons)[number];

/** Why nothing was revoked: for the log, and for the answer to who sent it. */
export interface FeedRefusal {
  readonly reason: FeedRefusalReason;
  /** Bounded; may quote header or claims, never the token. */
  readonly detail: string | undefined;
}

const maxDetailLength = 200;

export function feedRefusal(reason: FeedRefusalReason, detail?: string): FeedRefusal {
  return { reason, detail: detail?.slice(0, maxDetailLength) };
}

/** Whether the same token may be good a little later: it is to be delivered again. */
export function isPassing({ reason }: FeedRefusal): boolean {
  return reason === 'busy' || reason === 'keys_unavailable' || reason === 'not_stored';
}

/** The words of RFC 8935 section 2.4, which RFC 8936 shares. */
type DeliveryErrorCode =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'
  | 'access_denied';

/** What the sender of an event is told: a word, and nothing that helps to forge a better one. */
export function deliveryError({ reason }: FeedRefusal): {
  readonly err: DeliveryErrorCode;
  readonly description: string;
} {
  return { err: deliveryCode(reason), description: 'The security event token was not accepted.' };
}

function deliveryCode(reason: FeedRefusalReason): DeliveryErrorCode {
  switch (reason) {
    case 'issuer_unknown':
    case 'issuer_refused':
      return 'invalid_issuer';
    case 'audience_refused':
      return 'invalid_audience';
    case 'key_unknown':
    case 'key_unusable':
    case 'keys_unavailable':
      return 'invalid_key';
    case 'unauthenticated':
    case 'signature_invalid':
      return 'authentication_failed';
    case 'subject_foreign':
      return 'access_denied';
    case 'busy':
    case 'too_large':
    case 'malformed':
    case 'algorithm_refused':
    case 'type_refused':
    case 'critical_header':
    case 'claim_missing':
    case 'claim_invalid':
    case 'expired':
    case 'too_old':
    case 'not_yet_valid':
    case 'nonce_refused':
    case 'events_refused':
    case 'not_stored':
      return 'invalid_request';
  }
}
