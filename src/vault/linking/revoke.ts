import * as oauth from 'oauth4webapi';
import type { Secret } from '#kernel/secret.ts';
import type { Grant } from '../grant.ts';
import { authenticate, chooseAuthMethod, type LinkClient } from './client-authentication.ts';
import type { Reach } from './discovery.ts';
import { oauthOptions } from './oauth-fetch.ts';
import type { ServerMetadata } from './server-metadata.ts';

/**
 * Revokes the refresh token, then the access token (RFC 7009): true where the provider confirmed each. A token it does
 * not know counts as revoked, as the specification says.
 */
export async function revoke(
  grant: Grant,
  metadata: ServerMetadata,
  client: LinkClient,
  reach: Reach,
): Promise<boolean> {
  if (metadata.revocation_endpoint === undefined) return false;
  const isRefreshRevoked =
    grant.refreshToken === undefined ||
    (await revokeToken(grant.refreshToken, 'refresh_token', metadata, client, reach));
  const isAccessRevoked = await revokeToken(grant.accessToken, 'access_token', metadata, client, reach);
  return isRefreshRevoked && isAccessRevoked;
}

async function revokeToken(
  token: Secret,
  hint: 'refresh_token' | 'access_token',
  metadata: ServerMetadata,
  client: LinkClient,
  reach: Reach,
): Promise<boolean> {
  const supported = metadata.revocation_endpoint_auth_methods_supported;
  const method =
    supported === undefined ? client.method : chooseAuthMethod(supported, client.secret !== undefined);
  try {
    const response = await oauth.revocationRequest(
      metadata,
      { client_id: client.id },
      authenticate({ ...client, method: method ?? client.method }),
      token.reveal(),
      { ...oauthOptions(reach), additionalParameters: { token_type_hint: hint } },
    );
    return response.status === 200 || response.status === 204;
  } catch {
    return false;
  }
}
