import type { AuthOptions } from './options.ts';
import { challengeScopesOf, metadataUrlFor, type RequestQuery } from './protected-resource.ts';
import type { AuthRefusal, AuthRefusalReason } from './refusal.ts';
import { isScopeToken } from './scope-token.ts';

type PublicAnswer =
  | 'unauthorized'
  | 'invalid_token'
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
    case 'subject_missing':
    case 'revoked':
      return 'invalid_token';
    case 'scope_missing':
      return 'insufficient_scope';
    case 'pool_refused':
      return 'access_denied';
    case 'keys_unavailable':
      return 'temporarily_unavailable';
  }
}

const descriptions: Readonly<Record<PublicAnswer, string>> = {
  unauthorized: 'This resource needs a bearer access token in the Authorization header.',
  invalid_token: 'The access token is not valid for this resource. Get a new one.',
  insufficient_scope: 'The access token lacks a scope that this request needs.',
  access_denied: 'This account may not use this resource.',
  temporarily_unavailable: 'The access token cannot be checked right now. Try again shortly.',
};

/** Turns refusals into the exact answers of RFC 6750 section 3 and RFC 9728 section 5.1. */
export interface Challenge {
  /** 401, 403 or 503 for a request without a principal. */
  answer(refusal: AuthRefusal, request: RequestQuery): Response;
  /** 403 that names every scope of the operation (R36). */
  insufficientScope(operationScopes: readonly string[], request: RequestQuery): Response;
}

/** `realm` is not sent: clients find everything through `resource_metadata`. */
export function createChallenge(
  options: Pick<AuthOptions, 'canonicalUrl' | 'baselineScopes' | 'challengeScopes' | 'plans'>,
): Challenge {
  const challengeScopes = challengeScopesOf(options);

  function header(request: RequestQuery, error: PublicAnswer | undefined, scopes: readonly string[]): string {
    // Scopes of an operation come from backends: only a scope-token may stand between the quotes.
    const scope = scopes.filter(isScopeToken).join(' ');
    const parameters = [
      ...(error === undefined ? [] : [`error="${error}"`, `error_description="${descriptions[error]}"`]),
      `resource_metadata="${metadataUrlFor(options.canonicalUrl, request)}"`,
      ...(scope === '' ? [] : [`scope="${scope}"`]),
    ];
    return `Bearer ${parameters.join(', ')}`;
  }

  function insufficientScope(operationScopes: readonly string[], request: RequestQuery): Response {
    return respond(403, 'insufficient_scope', {
      'WWW-Authenticate': header(request, 'insufficient_scope', operationScopes),
    });
  }

  return {
    insufficientScope,
    answer(refusal, request) {
      const answer = publicAnswer(refusal.reason);
      switch (answer) {
        case 'unauthorized':
          return respond(401, answer, { 'WWW-Authenticate': header(request, undefined, challengeScopes) });
        case 'invalid_token':
          return respond(401, answer, { 'WWW-Authenticate': header(request, answer, challengeScopes) });
        case 'insufficient_scope':
          return insufficientScope(options.baselineScopes, request);
        case 'access_denied':
          return respond(403, answer, {});
        case 'temporarily_unavailable':
          return respond(503, answer, { 'Retry-After': '5' });
      }
    },
  };
}

function respond(status: number, error: PublicAnswer, headers: Readonly<Record<string, string>>): Response {
  return Response.json(
    { error, error_description: descriptions[error] },
    { status, headers: { ...headers, 'Cache-Control': 'no-store' } },
  );
}
