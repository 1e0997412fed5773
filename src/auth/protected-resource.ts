import type { JsonObject } from '#kernel/json.ts';
import { echoedQuery } from './known-query.ts';
import type { AuthOptions, DpopPolicy } from './options.ts';
import { proofAlgorithms } from './verify-proof.ts';

/** The part of a request's URL that the choices are read from: `?backends=..&mode=..`, or `''`. */
export interface RequestQuery {
  readonly search: string;
}

/**
 * The protected-resource metadata (RFC 9728 section 3.2), the same at both paths. `resource` is the canonical
 * URL byte for byte with the request's own known query; `scopes_supported` is the baseline alone.
 */
export function protectedResourceMetadata(
  options: Pick<AuthOptions, 'canonicalUrl' | 'issuers' | 'baselineScopes'>,
  request: RequestQuery,
): JsonObject {
  const scopes = withoutOfflineAccess(options.baselineScopes);
  const dpop = dpopPolicyOf(options.issuers);
  return {
    resource: options.canonicalUrl + echoedQuery(request.search),
    authorization_servers: options.issuers.map((issuer) => issuer.url),
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    bearer_methods_supported: ['header'],
    ...(dpop !== 'off' && { dpop_signing_alg_values_supported: proofAlgorithms }),
    ...(dpop === 'require' && { dpop_bound_access_tokens_required: true }),
  };
}

/** What all issuers have in common. */
export function dpopPolicyOf(issuers: AuthOptions['issuers']): DpopPolicy {
  const policies = issuers.map(({ dpop }) => dpop ?? 'allow');
  if (policies.every((policy) => policy === 'off')) return 'off';
  return policies.every((policy) => policy === 'require') ? 'require' : 'allow';
}

/**
 * Where that document is found: the well-known goes between host and path + query (RFC 9728 section 3.1).
 * Cut as text, because a rebuilt URL would not be the one that clients compare.
 */
export function metadataUrlFor(canonicalUrl: string, request: RequestQuery): string {
  const pathAt = canonicalUrl.indexOf('/', canonicalUrl.indexOf('://') + 3);
  const origin = pathAt === -1 ? canonicalUrl : canonicalUrl.slice(0, pathAt);
  const path = pathAt === -1 ? '' : canonicalUrl.slice(pathAt);
  const suffix = path === '/' ? '' : path;
  return `${origin}/.well-known/oauth-protected-resource${suffix}${echoedQuery(request.search)}`;
}

/** The scopes a 401 asks for: the baseline, then the configured list or every scope named in a plan; each once. */
export function challengeScopesOf(
  options: Pick<AuthOptions, 'baselineScopes' | 'challengeScopes' | 'plans'>,
): readonly string[] {
  const { baselineScopes, challengeScopes, plans } = options;
  const asked = challengeScopes === 'plans' ? [...plans.values()].flat() : challengeScopes;
  return withoutOfflineAccess([...new Set([...baselineScopes, ...asked])]);
}

/** `offline_access` is between client and authorization server; a resource never asks for it. */
function withoutOfflineAccess(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => scope !== 'offline_access');
}
