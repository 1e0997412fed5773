import { listOf } from './kind.ts';
import { oneOf, scope, text, word } from './kinds.ts';
import { option, optional } from './option.ts';

/** The rows of `auth.issuers` about what an issuer's tokens say. */
export const issuerClaimOptions = {
  issuerPreset: option(
    'auth.issuers.<n>.preset',
    oneOf([
      'generic',
      'rfc9068',
      'keycloak',
      'auth0',
      'okta',
      'entra',
      'zitadel',
      'authentik',
      'hydra',
      'cognito',
    ]),
    'generic',
    'Whose tokens these are: where they keep what, and what they must not be mistaken for.',
  ),
  issuerClients: optional(
    'auth.issuers.<n>.clients',
    listOf(text, { min: 1 }),
    'Client ids: only tokens given to one of these are accepted. `cognito` needs it for tokens without `aud`.',
    { fallbackText: 'any client' },
  ),
  issuerRole: option(
    'auth.issuers.<n>.roles.<role>',
    listOf(scope),
    [],
    'The scopes of whoever has this role at the issuer, beside those that the token lists.',
  ),
  claimPermissions: optional(
    'auth.issuers.<n>.claims.permissions',
    listOf(word, { min: 1 }),
    'Claims that hold all that the person may do: a ceiling over the scopes, where a token has one.',
    { fallbackText: 'the preset' },
  ),
};
