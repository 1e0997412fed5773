import * as oauth from 'oauth4webapi';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { oauthOptions } from './oauth-fetch.ts';
import { providerLimits } from './provider-limits.ts';
import type { TokenDeps } from './token-requests.ts';

const claims = ['email', 'preferred_username', 'name', 'sub'] as const;

/**
 * What the account is called, for people: from the ID token, which came from the token endpoint itself, else from
 * userinfo where `openid` was granted. Undefined where the provider says nothing; it decides nothing.
 */
export async function accountName(
  answer: oauth.TokenEndpointResponse,
  scopes: readonly string[],
  deps: TokenDeps,
): Promise<string | undefined> {
  const told = oauth.getValidatedIdTokenClaims(answer);
  if (told !== undefined && claims.slice(0, -1).some((claim) => told[claim] !== undefined))
    return nameIn(told);
  return (await fromUserInfo(answer.access_token, scopes, deps)) ?? nameIn(told ?? {});
}

async function fromUserInfo(
  token: string,
  scopes: readonly string[],
  { metadata, client, reach }: TokenDeps,
): Promise<string | undefined> {
  if (metadata.userinfo_endpoint === undefined || !scopes.includes('openid')) return undefined;
  try {
    const options = oauthOptions(reach);
    const response = await oauth.userInfoRequest(metadata, { client_id: client.id }, token, options);
    const told: unknown = response.status === 200 ? await response.json() : undefined;
    return isJsonObject(told) ? nameIn(told) : undefined;
  } catch {
    return undefined;
  }
}

function nameIn(told: JsonObject | oauth.IDToken | Readonly<Record<string, never>>): string | undefined {
  for (const claim of claims) {
    const value: unknown = told[claim];
    if (typeof value !== 'string') continue;
    const name = value.replaceAll(/[\p{C}\s]+/gu, ' ').trim();
    if (name !== '') return name.slice(0, providerLimits.maxAccountLength);
  }
  return undefined;
}
