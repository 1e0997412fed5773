import * as oauth from 'oauth4webapi';
import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, parseJson } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import { NoAnswer } from '#outbound/library-fetch.ts';
import type { Grant } from '../grant.ts';
import { accountName } from './account.ts';
import { authenticate, type LinkClient } from './client-authentication.ts';
import type { Reach } from './discovery.ts';
import { type LinkFailure, linkFailure } from './link-failure.ts';
import type { BegunFlow } from './link-flows.ts';
import { grantedScopes } from './link-scopes.ts';
import { oauthOptions } from './oauth-fetch.ts';
import { providerLimits } from './provider-limits.ts';
import { isRefused } from './read-document.ts';
import type { ServerMetadata } from './server-metadata.ts';

/** A provider's "no" at its token endpoint. */
export interface TokenProblem {
  readonly kind: 'unreachable' | 'address_refused' | 'refused' | 'invalid';
  /** With `refused`: its error code. */
  readonly code: string | undefined;
  readonly detail: string;
}

export interface TokenDeps {
  readonly metadata: ServerMetadata;
  readonly client: LinkClient;
  readonly reach: Reach;
  readonly clock: Clock;
}

/**
 * Compares `iss` byte for byte (RFC 9207), then redeems the code. The caller has consumed the `state`; what of `answer`
 * is an error is an error only if the provider that was asked says so.
 */
export async function redeem(
  flow: BegunFlow,
  answer: URLSearchParams,
  redirectUri: string,
  deps: TokenDeps,
): Promise<Result<Grant, LinkFailure>> {
  const { metadata, client, reach, clock } = deps;
  const validated = validateAnswer(metadata, client, answer);
  if (!validated.ok) return validated;
  const options = oauthOptions(reach);
  const tokens = await requestTokens(deps, () =>
    oauth.authorizationCodeGrantRequest(
      metadata,
      { client_id: client.id },
      authenticate(client),
      validated.value,
      redirectUri,
      flow.verifier,
      { ...options, additionalParameters: resourceParameter(flow.resource) },
    ),
  );
  if (!tokens.ok) return err(tokenFailure(tokens.error));
  const grant = {
    ...tokens.value.grant,
    scopes: tokens.value.scopes ?? flow.scopes,
    issuer: metadata.issuer,
    clientId: client.id,
    resource: flow.resource,
    linkedAt: clock.now(),
  };
  return ok({ ...grant, account: await accountName(tokens.value.answer, grant.scopes, deps) });
}

/** A new access token for a grant; the old refresh token stays where no new one comes. */
export async function refreshTokens(grant: Grant, deps: TokenDeps): Promise<Result<Grant, TokenProblem>> {
  const { metadata, client, reach } = deps;
  const { refreshToken } = grant;
  if (refreshToken === undefined)
    return err({ kind: 'refused', code: 'invalid_grant', detail: 'no refresh token' });
  const options = oauthOptions(reach);
  const tokens = await requestTokens(deps, () =>
    oauth.refreshTokenGrantRequest(
      metadata,
      { client_id: client.id },
      authenticate(client),
      refreshToken.reveal(),
      {
        ...options,
        additionalParameters: resourceParameter(grant.resource),
      },
    ),
  );
  if (!tokens.ok) return tokens;
  return ok({
    ...grant,
    ...tokens.value.grant,
    refreshToken: tokens.value.grant.refreshToken ?? refreshToken,
    scopes: tokens.value.scopes ?? grant.scopes,
  });
}

function validateAnswer(
  metadata: ServerMetadata,
  client: LinkClient,
  answer: URLSearchParams,
): Result<URLSearchParams, LinkFailure> {
  const issuers = answer.getAll('iss');
  const isRequired = metadata.authorization_response_iss_parameter_supported === true;
  if (issuers.length > 1 || (issuers.length === 0 ? isRequired : issuers[0] !== metadata.issuer)) {
    return err(linkFailure('answer_of_another', { detail: `iss ${issuers.join(' ').slice(0, 200)}` }));
  }
  try {
    return ok(oauth.validateAuthResponse(metadata, { client_id: client.id }, answer, oauth.skipStateCheck));
  } catch (error) {
    if (!(error instanceof oauth.AuthorizationResponseError)) {
      return err(linkFailure('answer_invalid', { detail: messageOf(error) }));
    }
    if (error.error === 'access_denied') return err(linkFailure('denied'));
    return err(linkFailure('provider_refused', { code: error.error }));
  }
}

interface Tokens {
  readonly grant: Pick<Grant, 'accessToken' | 'refreshToken' | 'expiresAt'>;
  readonly scopes: readonly string[] | undefined;
  readonly answer: oauth.TokenEndpointResponse;
}

async function requestTokens(
  { metadata, client, clock }: TokenDeps,
  send: () => Promise<Response>,
): Promise<Result<Tokens, TokenProblem>> {
  try {
    const response = await send();
    if (response.status >= 500)
      return err({ kind: 'unreachable', code: undefined, detail: `status ${response.status}` });
    const text = await response.text();
    // Read before the library does: several providers answer an error with 200, or a 401 with a challenge.
    const parsed = parseJson(text);
    const code = parsed.ok && isJsonObject(parsed.value) ? parsed.value.error : undefined;
    if (typeof code === 'string') return err({ kind: 'refused', code, detail: `status ${response.status}` });
    if (response.status === 429) return err({ kind: 'unreachable', code: undefined, detail: 'status 429' });
    return tokensOf(await readAnswer(metadata, client, text, response.status), clock);
  } catch (error) {
    const failure = error instanceof NoAnswer ? error.failure : undefined;
    const detail = messageOf(error);
    if (failure === undefined || failure.reason === 'too_large') return invalid(detail);
    return err({ kind: isRefused(failure) ? 'address_refused' : 'unreachable', code: undefined, detail });
  }
}

/** An ID token says who the account is, for people, and nothing else: one that does not hold must not cost the link. */
async function readAnswer(
  metadata: ServerMetadata,
  client: LinkClient,
  text: string,
  status: number,
): Promise<oauth.TokenEndpointResponse> {
  const read = (body: string) =>
    oauth.processRefreshTokenResponse(
      metadata,
      { client_id: client.id },
      new Response(body, { status, headers: { 'content-type': 'application/json' } }),
    );
  try {
    return await read(text);
  } catch (error) {
    const parsed = parseJson(text);
    if (!parsed.ok || !isJsonObject(parsed.value) || parsed.value.id_token === undefined) throw error;
    return read(JSON.stringify({ ...parsed.value, id_token: undefined }));
  }
}

function tokensOf(answer: oauth.TokenEndpointResponse, clock: Clock): Result<Tokens, TokenProblem> {
  const {
    access_token: access,
    refresh_token: refresh,
    expires_in: expiresIn,
    token_type: type,
    scope,
  } = answer;
  if (type !== 'bearer') return invalid('the token is no bearer token');
  if (!isToken(access)) return invalid('the access token cannot be sent');
  if (refresh !== undefined && (refresh === '' || refresh.length > providerLimits.maxTokenLength)) {
    return invalid('the refresh token cannot be kept');
  }
  const lifetimeMs =
    expiresIn === undefined || expiresIn <= 0 ? undefined : Math.min(expiresIn, 10 ** 9) * 1_000;
  return ok({
    grant: {
      accessToken: new Secret(access),
      refreshToken: refresh === undefined ? undefined : new Secret(refresh),
      expiresAt: lifetimeMs === undefined ? undefined : clock.now() + lifetimeMs,
    },
    scopes: grantedScopes(scope),
    answer,
  });
}

/** It goes into a header: visible characters alone. */
function isToken(text: string): boolean {
  return text.length <= providerLimits.maxTokenLength && /^[\x21-\x7e]+$/.test(text);
}

function resourceParameter(resource: string | undefined): Record<string, string> {
  return resource === undefined ? {} : { resource };
}

function tokenFailure({ kind, code, detail }: TokenProblem): LinkFailure {
  switch (kind) {
    case 'unreachable':
      return linkFailure('unreachable', { detail });
    case 'address_refused':
      return linkFailure('address_refused', { detail });
    case 'refused':
      return linkFailure('provider_refused', { code, detail });
    case 'invalid':
      return linkFailure('token_invalid', { detail });
  }
}

function invalid(detail: string): Result<never, TokenProblem> {
  return err({ kind: 'invalid', code: undefined, detail });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no error object';
}
