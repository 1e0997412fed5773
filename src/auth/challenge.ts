import type { AuthOptions, DpopPolicy } from './options.ts';
import { challengeScopesOf, metadataUrlFor, type RequestQuery } from './protected-resource.ts';
import type { AuthRefusal, AuthRefusalReason } from './refusal.ts';
import { isScopeToken } from './scope-token.ts';
import { proofAlgorithms } from './verify-proof.ts';

type PublicAnswer =
  | 'unauthorized'
  | 'invalid_token'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_scope'
  | 'access_denied'
  | 'temporarily_unavailable';

/** What a caller is told: one switch, so that no answer says which check failed. */
function publicAnswer(reason: AuthRefusalReason): PublicAnswer {
  switch (reason) {
    case 'token_missing':
    case 'scheme_refused':
      return 'unauthorized';
    case 'token_in_query':
    case 'token_too_large':
    case 'token_malformed':
    case 'issuer_unknown':
    case 'algorithm_refused':
    case 'type_refused':
    case 'critical_header':
    case 'key_unknown':
    case 'key_unusable':
    case 'signature_invalid':
    case 'claim_missing':
    case 'claim_invalid':
    case 'expired':
    case 'too_old':
    case 'not_yet_valid':
    case 'audience_refused':
    case 'client_refused':
    case 'sender_constrained':
    case 'dpop_required':
    case 'subject_missing':
    case 'revoked':
    case 'token_inactive':
    case 'token_unbound':
    case 'proof_key_refused':
      return 'invalid_token';
    case 'proof_missing':
    case 'proof_malformed':
    case 'proof_signature_invalid':
    case 'proof_request_mismatch':
    case 'proof_token_mismatch':
    case 'proof_expired':
    case 'proof_replayed':
      return 'invalid_dpop_proof';
    case 'proof_nonce_missing':
    case 'proof_nonce_stale':
      return 'use_dpop_nonce';
    case 'scope_missing':
      return 'insufficient_scope';
    case 'pool_refused':
      return 'access_denied';
    case 'keys_unavailable':
    case 'introspection_unavailable':
    case 'proofs_full':
      return 'temporarily_unavailable';
  }
}

const descriptions: Readonly<Record<PublicAnswer, string>> = {
  unauthorized: 'This resource needs a bearer access token in the Authorization header.',
  invalid_token: 'The access token is not valid for this resource. Get a new one.',
  invalid_dpop_proof: 'The DPoP proof is not valid for this request.',
  use_dpop_nonce: 'The DPoP proof must carry the nonce in the DPoP-Nonce header of this answer.',
  insufficient_scope: 'The access token lacks a scope that this request needs.',
  access_denied: 'This account may not use this resource.',
  temporarily_unavailable: 'The access token cannot be checked right now. Try again shortly.',
};

type Scheme = 'Bearer' | 'DPoP';

/** Turns refusals into the exact answers of RFC 6750 section 3, RFC 9449 section 7.1 and RFC 9728 section 5.1. */
export interface Challenge {
  /** 401, 403 or 503 for a request without a principal. */
  answer(refusal: AuthRefusal, request: RequestQuery): Response;
  /** 403 that names every scope of the operation (R36), in the scheme the token came with. */
  insufficientScope(operationScopes: readonly string[], request: RequestQuery, scheme?: Scheme): Response;
  /** Gives a client that sends proofs the nonce of its next one (RFC 9449 section 9). */
  renewNonce(response: Response): Response;
}

/** Whether proofs are taken, and where their nonces come from. */
export interface ProofOffer {
  readonly policy: DpopPolicy;
  readonly nonce: () => string;
}

/** `realm` is not sent: clients find everything through `resource_metadata`. */
export function createChallenge(
  options: Pick<AuthOptions, 'canonicalUrl' | 'baselineScopes' | 'challengeScopes' | 'plans'>,
  proofs: ProofOffer = { policy: 'off', nonce: () => '' },
): Challenge {
  const challengeScopes = challengeScopesOf(options);
  const algorithms = `algs="${proofAlgorithms.join(' ')}"`;

  function header(
    request: RequestQuery,
    error: PublicAnswer | undefined,
    scopes: readonly string[],
    scheme: Scheme,
  ): string {
    // Scopes of an operation come from backends: only a scope-token may stand between the quotes.
    const scope = scopes.filter(isScopeToken).join(' ');
    const isDpop = scheme === 'DPoP' || proofs.policy === 'require';
    const parameters = [
      ...(error === undefined ? [] : [`error="${error}"`, `error_description="${descriptions[error]}"`]),
      `resource_metadata="${metadataUrlFor(options.canonicalUrl, request)}"`,
      ...(scope === '' ? [] : [`scope="${scope}"`]),
      ...(isDpop ? [algorithms] : []),
    ];
    if (isDpop) return `DPoP ${parameters.join(', ')}`;
    // Behind it: clients that know no other scheme read the first.
    const beside = proofs.policy === 'allow' && error !== 'insufficient_scope' ? `, DPoP ${algorithms}` : '';
    return `Bearer ${parameters.join(', ')}${beside}`;
  }

  function unauthorized(
    answer: PublicAnswer,
    error: PublicAnswer | undefined,
    request: RequestQuery,
    scheme: Scheme,
  ): Response {
    return respond(401, answer, {
      'WWW-Authenticate': header(request, error, challengeScopes, scheme),
      ...(answer === 'use_dpop_nonce' && { [nonceHeader]: proofs.nonce() }),
    });
  }

  function insufficientScope(
    operationScopes: readonly string[],
    request: RequestQuery,
    scheme: Scheme = 'Bearer',
  ): Response {
    return respond(403, 'insufficient_scope', {
      'WWW-Authenticate': header(request, 'insufficient_scope', operationScopes, scheme),
    });
  }

  return {
    insufficientScope,
    renewNonce(response) {
      response.headers.set(nonceHeader, proofs.nonce());
      return response;
    },
    answer(refusal, request) {
      const scheme = refusal.scheme ?? 'Bearer';
      const answer = publicAnswer(refusal.reason);
      switch (answer) {
        case 'unauthorized':
          return unauthorized(answer, undefined, request, scheme);
        case 'invalid_token':
        case 'invalid_dpop_proof':
        case 'use_dpop_nonce':
          return unauthorized(answer, answer, request, scheme);
        case 'insufficient_scope':
          return insufficientScope(options.baselineScopes, request, scheme);
        case 'access_denied':
          return respond(403, answer, {});
        case 'temporarily_unavailable':
          return respond(503, answer, { 'Retry-After': '5' });
      }
    },
  };
}

const nonceHeader = 'DPoP-Nonce';

function respond(status: number, error: PublicAnswer, headers: Readonly<Record<string, string>>): Response {
  return Response.json(
    { error, error_description: descriptions[error] },
    { status, headers: { ...headers, 'Cache-Control': 'no-store' } },
  );
}
