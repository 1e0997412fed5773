import type { IssuerOptions } from '#auth/options.ts';

/** How an issuer that does not heed `resource` (RFC 8707) is brought to make tokens for us; undefined where it heeds it. */
export function audienceAdvice({ preset = 'generic', audience, clients }: IssuerOptions): string | undefined {
  // Who named audiences has seen to it.
  if (audience !== undefined) return undefined;
  switch (preset) {
    case 'generic':
    case 'rfc9068':
      return undefined;
    case 'keycloak':
      return 'Keycloak ignores resource: give the client scope a mapper "Audience" with the gateway’s URL';
    case 'auth0':
      return 'Auth0 heeds resource only with the Resource Parameter Compatibility Profile: turn it on, and name the API like the gateway’s URL';
    case 'okta':
      return 'Okta ignores resource: set the audience of the authorization server to the gateway’s URL';
    case 'entra':
      return 'Entra makes tokens for the API’s own client id: name it in audience, and its scopes as api://<id>/<scope> in challenge_scopes';
    case 'zitadel':
      return 'ZITADEL ignores resource: name the id of the project in audience';
    case 'authentik':
      return 'authentik makes tokens for the client: name the client id in audience';
    case 'hydra':
      return 'Hydra ignores resource: have clients send audience, and allow the gateway’s URL as audience of the client';
    case 'cognito':
      return clients === undefined
        ? 'most tokens of Cognito have no audience: list the app clients in clients'
        : undefined;
  }
}
