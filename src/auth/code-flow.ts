import {
  AuthorizationResponseError,
  type AuthorizationServer,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  type Client,
  type ClientAuth,
  ClientSecretPost,
  calculatePKCECodeChallenge,
  customFetch,
  None,
  processAuthorizationCodeResponse,
  processRefreshTokenResponse,
  ResponseBodyError,
  refreshTokenGrantRequest,
  type TokenEndpointResponse,
  validateAuthResponse,
} from 'oauth4webapi';
import { err, ok, type Result } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import { type LibraryFetch, NoAnswer } from '#outbound/library-fetch.ts';
import type { OAuthServer } from './oauth-server.ts';

/** Who we are at an authorization server. */
export interface OAuthClient {
  readonly id: string;
  readonly secret: Secret | undefined;
}

/** What one sign-in asks for. */
export interface CodeRequest {
  readonly server: OAuthServer;
  readonly client: OAuthClient;
  readonly redirectUri: string;
  /** RFC 8707: what the token is for. Undefined: not said, at a server that refuses to hear it. */
  readonly resource: string | undefined;
  /** Empty: the server decides. */
  readonly scopes: readonly string[];
}

/**
 * `denied`: the person said no. `client_refused`: the server does not know us (any more). `unavailable`: no answer, or
 * none that could be used; a later try may work. `mismatch`: the answer belongs to another request or another issuer.
 */
export type CodeFailure = 'denied' | 'client_refused' | 'refused' | 'unavailable' | 'mismatch';
export interface CodeRefusal {
  readonly reason: CodeFailure;
  /** For the log. */
  readonly detail: string;
}

/** The authorization request (OAuth 2.1 section 4.1.1) with PKCE S256. */
export async function authorizationUrl(
  request: CodeRequest,
  given: { readonly state: string; readonly verifier: string },
): Promise<string> {
  const url = new URL(request.server.authorizationEndpoint);
  const parameters = {
    response_type: 'code',
    client_id: request.client.id,
    redirect_uri: request.redirectUri,
    state: given.state,
    code_challenge: await calculatePKCECodeChallenge(given.verifier),
    code_challenge_method: 'S256',
    ...resourceOf(request),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  if (request.scopes.length > 0) url.searchParams.set('scope', request.scopes.join(' '));
  return url.href;
}

/** What an issuer gave for a code or a refresh token. */
export interface TokenSet {
  readonly accessToken: Secret;
  /** Undefined: none came; where one was refreshed, it stays good. */
  readonly refreshToken: Secret | undefined;
  /** Undefined: the issuer does not say. */
  readonly expiresInSeconds: number | undefined;
}

/** Checks the answer (state, RFC 9207 `iss`, error) and trades its code for tokens. Does not look into them. */
export async function redeemCode(
  request: CodeRequest,
  answer: { readonly parameters: URLSearchParams; readonly state: string; readonly verifier: string },
  fetch: LibraryFetch,
): Promise<Result<TokenSet, CodeRefusal>> {
  const server = metadataOf(request);
  const client: Client = { client_id: request.client.id };
  let isAsked = false;
  try {
    const parameters = validateAuthResponse(server, client, answer.parameters, answer.state);
    isAsked = true;
    const response = await authorizationCodeGrantRequest(
      server,
      client,
      clientAuthentication(request),
      parameters,
      request.redirectUri,
      answer.verifier,
      libraryOptions(request, fetch),
    );
    return ok(tokenSet(await processAuthorizationCodeResponse(server, client, response)));
  } catch (error) {
    return err(refusalOf(error, isAsked));
  }
}

/** Trades a refresh token for new ones (OAuth 2.1 section 4.3). `refused`: it is good for nothing any more. */
export async function refreshTokens(
  request: CodeRequest,
  refreshToken: Secret,
  fetch: LibraryFetch,
): Promise<Result<TokenSet, CodeRefusal>> {
  const server = metadataOf(request);
  const client: Client = { client_id: request.client.id };
  try {
    const response = await refreshTokenGrantRequest(
      server,
      client,
      clientAuthentication(request),
      refreshToken.reveal(),
      libraryOptions(request, fetch),
    );
    return ok(tokenSet(await processRefreshTokenResponse(server, client, response)));
  } catch (error) {
    return err(refusalOf(error, true));
  }
}

function metadataOf({ server }: CodeRequest): AuthorizationServer {
  return {
    issuer: server.issuer,
    token_endpoint: server.tokenEndpoint,
    authorization_response_iss_parameter_supported: server.namesIssuer,
  };
}

function libraryOptions(request: CodeRequest, fetch: LibraryFetch) {
  return {
    [customFetch]: fetch,
    [allowInsecureRequests]: request.server.issuer.startsWith('http:'),
    additionalParameters: resourceOf(request),
  };
}

function tokenSet(answer: TokenEndpointResponse): TokenSet {
  const { access_token, refresh_token, expires_in } = answer;
  return {
    accessToken: new Secret(access_token),
    refreshToken: refresh_token === undefined ? undefined : new Secret(refresh_token),
    expiresInSeconds: expires_in,
  };
}

function resourceOf({ resource }: CodeRequest): Readonly<Record<string, string>> {
  return resource === undefined ? {} : { resource };
}

/** The library's `ClientSecretBasic` encodes more than servers decode. */
function clientAuthentication({ client, server }: CodeRequest): ClientAuth {
  const secret = client.secret?.reveal();
  if (secret === undefined) return None();
  if (!server.tokenAuthMethods.includes('client_secret_basic')) return ClientSecretPost(secret);
  const credentials = `${encodeURIComponent(client.id)}:${encodeURIComponent(secret)}`;
  return (_server, _client, _body, headers) =>
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
}

function refusalOf(error: unknown, isAsked: boolean): CodeRefusal {
  if (error instanceof AuthorizationResponseError) {
    const reason = error.error === 'access_denied' ? 'denied' : 'refused';
    return { reason, detail: error.error.slice(0, 100) };
  }
  if (error instanceof ResponseBodyError) {
    if (error.status >= 500) return { reason: 'unavailable', detail: `status ${error.status}` };
    const isUnknown = error.error === 'invalid_client' || error.error === 'unauthorized_client';
    return { reason: isUnknown ? 'client_refused' : 'refused', detail: error.error.slice(0, 100) };
  }
  const detail = error instanceof Error ? error.message.slice(0, 200) : 'unknown';
  if (error instanceof NoAnswer) return { reason: 'unavailable', detail };
  return { reason: isAsked ? 'unavailable' : 'mismatch', detail };
}
