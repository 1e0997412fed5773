import type { OAuthClient, TokenSet } from '#auth/code-flow.ts';
import { isJsonObject, isStringArray, parseJson, stringAt } from '#kernel/json.ts';
import { Secret } from '#kernel/secret.ts';

/** A sign-in as it is kept: who we are at the issuer, and the tokens it gave. */
export interface KeptSignIn {
  /** The gateway that the tokens are for: no other is shown them. */
  readonly resource: string;
  readonly issuer: string;
  readonly client: OAuthClient;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** Undefined: the tokens are gone, the registration is not. */
  readonly accessToken: Secret | undefined;
  readonly refreshToken: Secret | undefined;
  /** Milliseconds since the epoch; undefined where the issuer did not say. */
  readonly expiresAt: number | undefined;
}

/** What the keychain gets. It alone holds secrets in plain text. */
export function writeSignIn(kept: KeptSignIn): string {
  return JSON.stringify({
    v: 1,
    resource: kept.resource,
    issuer: kept.issuer,
    client_id: kept.client.id,
    client_secret: kept.client.secret?.reveal(),
    redirect_uri: kept.redirectUri,
    scopes: kept.scopes,
    access_token: kept.accessToken?.reveal(),
    refresh_token: kept.refreshToken?.reveal(),
    expires_at: kept.expiresAt,
  });
}

/** Undefined for what is none, or of another version: one signs in again. */
export function readSignIn(text: string | undefined): KeptSignIn | undefined {
  const parsed = parseJson(text ?? '');
  if (!parsed.ok || !isJsonObject(parsed.value) || parsed.value.v !== 1) return undefined;
  const { value } = parsed;
  const resource = stringAt(value, 'resource');
  const issuer = stringAt(value, 'issuer');
  const id = stringAt(value, 'client_id');
  const redirectUri = stringAt(value, 'redirect_uri');
  if (resource === undefined || issuer === undefined || id === undefined || redirectUri === undefined)
    return undefined;
  const secretAt = (key: string) => {
    const secret = stringAt(value, key);
    return secret === undefined ? undefined : new Secret(secret);
  };
  return {
    resource,
    issuer,
    client: { id, secret: secretAt('client_secret') },
    redirectUri,
    scopes: isStringArray(value.scopes) ? value.scopes : [],
    accessToken: secretAt('access_token'),
    refreshToken: secretAt('refresh_token'),
    expiresAt: typeof value.expires_at === 'number' ? value.expires_at : undefined,
  };
}

/** The same sign-in with newer tokens; a refresh token stays where no new one came. */
export function withTokens(kept: KeptSignIn, tokens: TokenSet, now: number): KeptSignIn {
  const { accessToken, refreshToken = kept.refreshToken, expiresInSeconds } = tokens;
  const expiresAt = expiresInSeconds === undefined ? undefined : now + expiresInSeconds * 1_000;
  return { ...kept, accessToken, refreshToken, expiresAt };
}
