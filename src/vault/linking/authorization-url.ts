import { createHash } from 'node:crypto';
import type { ServerMetadata } from './server-metadata.ts';

export interface AuthorizationRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state: string;
  readonly verifier: string;
  readonly scopes: readonly string[];
  readonly resource: string | undefined;
}

/** Where the browser goes: the provider's page, its own query kept, with PKCE S256 (RFC 7636) in any case. */
export function authorizationUrl(metadata: ServerMetadata, request: AuthorizationRequest): string {
  const { clientId, redirectUri, state, verifier, scopes, resource } = request;
  const url = new URL(metadata.authorization_endpoint);
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(resource === undefined ? {} : { resource }),
    ...forRefreshToken(metadata.issuer, scopes),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** What a provider wants to hear beside `offline_access` before it gives a refresh token. */
function forRefreshToken(issuer: string, scopes: readonly string[]): Readonly<Record<string, string>> {
  if (issuer === 'https://accounts.google.com') return { access_type: 'offline', prompt: 'consent' };
  // There `prompt=consent` shuts out everybody whose administrator has consented for them.
  if (URL.parse(issuer)?.hostname === 'login.microsoftonline.com') return {};
  // OpenID Connect Core section 11.
  return scopes.includes('offline_access') ? { prompt: 'consent' } : {};
}
