import { limits } from '#kernel/limits.ts';
import { duration, oneOf, text } from './kinds.ts';
import { anyUrl } from './network-kinds.ts';
import { existing, option, optional } from './option.ts';
import { secret } from './special-kinds.ts';

/** The rows of `auth.issuers.<n>` about tokens that are asked about, and tokens that are bound to a key. */
export const issuerTokenOptions = {
  introspectionUrl: optional(
    'auth.issuers.<n>.introspection.url',
    anyUrl,
    'Where this issuer says whether a token is good (RFC 7662). Opaque tokens work with it alone.',
    { existing: [existing('OAUTH_INTROSPECT_URL', 'first')] },
  ),
  introspectionClientId: optional(
    'auth.issuers.<n>.introspection.client_id',
    text,
    'The gateway’s own client id there.',
    { existing: [existing('OAUTH_INTROSPECT_CLIENT_ID', 'first')] },
  ),
  introspectionClientSecret: optional(
    'auth.issuers.<n>.introspection.client_secret',
    secret,
    'The secret that goes with it.',
    { existing: [existing('OAUTH_INTROSPECT_CLIENT_SECRET', 'first')] },
  ),
  introspectionMode: option(
    'auth.issuers.<n>.introspection.mode',
    oneOf(['fallback', 'always']),
    'fallback',
    'When the issuer is asked about a JWT, which is verified here in any case: while its revocation feed is lost; or always.',
  ),
  introspectionCache: option(
    'auth.issuers.<n>.introspection.cache',
    duration(0, 3_600_000),
    limits.introspectionCacheMs,
    'For how long an answer counts: so long does a revoked token go on.',
    { existing: [existing('OAUTH_INTROSPECT_CACHE_TTL_SECONDS', 'first', 's')] },
  ),
  issuerDpop: option(
    'auth.issuers.<n>.dpop',
    oneOf(['off', 'allow', 'require']),
    'allow',
    'Tokens that are bound to a key (DPoP, RFC 9449): refused; accepted with a proof, beside those that are not bound; the only ones accepted.',
  ),
};
