import type { AuthRefusalReason } from '#auth/refusal.ts';

/** What to do about a token that is refused; docs/auth-errors.md says more. */
export function refusalFix(reason: AuthRefusalReason): string {
  switch (reason) {
    case 'issuer_unknown':
      return 'name that issuer in auth.issuers, byte for byte: a slash at the end counts';
    case 'algorithm_refused':
      return 'have the issuer sign with RS256, PS256, ES256 or EdDSA, or name its algorithm in algorithms';
    case 'type_refused':
      return 'send the access token, not the ID token; or set the preset that fits this issuer';
    case 'keys_unavailable':
    case 'key_unknown':
    case 'key_unusable':
      return 'the token is signed with a key that this issuer does not publish: another environment, or an old token';
    case 'signature_invalid':
      return 'the token was changed, cut, or made elsewhere: get a new one';
    case 'claim_missing':
    case 'claim_invalid':
      return 'have the issuer put exp and iat, as numbers, into its tokens';
    case 'expired':
      return 'get a new token; if it is new, compare the clocks';
    case 'too_old':
      return 'get a new token, or raise max_token_age of this issuer';
    case 'not_yet_valid':
      return 'compare the clocks of this machine and of the issuer';
    case 'audience_refused':
      return 'have clients send resource with the gateway’s URL, or name the audience of the token in audience';
    case 'client_refused':
      return 'add the client id to clients of this issuer';
    case 'dpop_required':
      return 'have the client ask for a token bound to a key (DPoP), or set dpop: allow';
    case 'sender_constrained':
      return 'the token is bound in a way that is not understood, or dpop is off';
    case 'subject_missing':
      return 'have the issuer add the claim, or name another in claims.subject';
    case 'pool_refused':
      return 'use an account of the right pool, or name the right claim in claims.pool';
    case 'scope_missing':
      return 'grant the baseline scopes at the issuer';
    default:
      return 'see docs/auth-errors.md';
  }
}
