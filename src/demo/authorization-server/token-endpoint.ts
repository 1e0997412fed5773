import { createHash } from 'node:crypto';
import { err, ok, type Result } from '#kernel/result.ts';
import { jsonAnswer, type OAuthError, type OAuthErrorCode, oauthErrorAnswer } from './answers.ts';
import { authenticateClient } from './client-authentication.ts';
import type { Client } from './clients.ts';
import type { Endpoint, Parts } from './endpoint.ts';
import type { Grant } from './grants.ts';
import { isSameHash } from './opaque.ts';
import { type Parameters, readForm } from './parameters.ts';
import { findResource } from './resource.ts';
import { exchangeToken } from './token-exchange.ts';
import type { User } from './users.ts';

export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly scope: string;
  readonly refresh_token?: string;
  readonly issued_token_type?: string;
}
export type TokenGrant = (
  parts: Parts,
  client: Client,
  form: Parameters,
) => Promise<Result<TokenAnswer, OAuthError>>;

const grantTypes: ReadonlyMap<string, TokenGrant> = new Map([
  ['authorization_code', redeemCode],
  ['refresh_token', refresh],
  ['urn:ietf:params:oauth:grant-type:token-exchange', exchangeToken],
]);
export const supportedGrantTypes = [...grantTypes.keys()];

/** The token endpoint (RFC 6749 section 3.2). */
export function createTokenEndpoint(parts: Parts): Endpoint {
  return async ({ request, address }) => {
    const form = await readForm(request, parts.limits.maxBodyBytes);
    if (!form.ok)
      return oauthErrorAnswer({ error: 'invalid_request', description: 'One form, no parameter twice.' });
    const client = await authenticateClient(request, form.value, parts.clients, address);
    if (!client.ok)
      return oauthErrorAnswer({
        error: client.error,
        description: 'The client is not known, or its secret is wrong.',
      });
    const grantType = grantTypes.get(form.value.get('grant_type') ?? '');
    if (grantType === undefined)
      return oauthErrorAnswer({
        error: 'unsupported_grant_type',
        description: 'This grant type is not supported.',
      });
    const answer = await grantType(parts, client.value, form.value);
    return answer.ok ? jsonAnswer(answer.value) : oauthErrorAnswer(answer.error);
  };
}

function refuse(error: OAuthErrorCode, description: string): Result<never, OAuthError> {
  return err({ error, description });
}

/** One public text for every bad code or refresh token: which check failed is nobody's business. */
const badGrant = refuse('invalid_grant', 'This code or refresh token is not valid for this request.');
const wrongResource = refuse('invalid_target', 'The grant is for another resource.');

/** A code for tokens. A code that comes back was stolen once, so the grant ends with all its tokens. */
async function redeemCode(
  parts: Parts,
  client: Client,
  form: Parameters,
): Promise<Result<TokenAnswer, OAuthError>> {
  const { grants, revocations, log } = parts;
  const code = form.get('code');
  const found = code === undefined ? undefined : grants.findCode(code);
  if (code === undefined || found === undefined) return badGrant;
  const { grant, redirectUri, challenge } = found;
  if (grant.clientId !== client.id || form.get('redirect_uri') !== redirectUri) return badGrant;
  if (!matchesChallenge(form.get('code_verifier'), challenge)) return badGrant;
  if (!namesResource(parts, form, grant)) return wrongResource;
  if (!grants.useCode(code)) {
    log.warn('demo.code_replayed', { grant: grant.id });
    await revocations.grant(grant.id, grant.sub);
    return badGrant;
  }
  if (found.isExpired) return badGrant;
  const entitled = entitlement(parts, grant, grant.scopes);
  return entitled.ok ? issue(parts, grant, entitled.value) : entitled;
}

/** A refresh token for new tokens. One that was used already has two holders, so the family ends. */
async function refresh(
  parts: Parts,
  client: Client,
  form: Parameters,
): Promise<Result<TokenAnswer, OAuthError>> {
  const { grants, revocations, scopes, log } = parts;
  const token = form.get('refresh_token');
  const found = token === undefined ? undefined : grants.findRefreshToken(token);
  if (token === undefined || found === undefined || found.grant.clientId !== client.id) return badGrant;
  const { grant } = found;
  if (found.isUsed) {
    log.warn('demo.refresh_token_reused', { grant: grant.id });
    await revocations.grant(grant.id, grant.sub);
    return badGrant;
  }
  if (!namesResource(parts, form, grant)) return wrongResource;
  const asked = form.has('scope') ? scopes.requested(form.get('scope')) : ok(grant.scopes);
  const narrowed = asked.ok ? grant.scopes.filter((scope) => asked.value.includes(scope)) : [];
  const entitled = entitlement(parts, grant, narrowed);
  if (!entitled.ok) return entitled;
  return grants.useRefreshToken(token) ? issue(parts, grant, entitled.value) : badGrant;
}

interface Entitlement {
  readonly user: User;
  readonly scopes: readonly string[];
}

/** What was consented to, cut down to what the user's plan allows at this moment. */
function entitlement(
  parts: Parts,
  grant: Grant,
  consented: readonly string[],
): Result<Entitlement, OAuthError> {
  const user = parts.users.bySubject(grant.sub);
  if (user === undefined) return badGrant;
  const scopes = parts.scopes.allowed(consented, user.plan);
  return scopes.length === 0
    ? refuse('invalid_scope', 'The plan allows none of these scopes.')
    : ok({ user, scopes });
}

async function issue(
  parts: Parts,
  grant: Grant,
  entitled: Entitlement,
): Promise<Result<TokenAnswer, OAuthError>> {
  const { id: sid, clientId, resource } = grant;
  const minted = await parts.tokens.mint({ ...entitled, audience: resource, clientId, sid });
  // Signing takes a moment, in which the grant may have been revoked: nothing may outlive it.
  if (parts.grants.find(sid) === undefined) return badGrant;
  const answer = {
    access_token: minted.token,
    token_type: 'Bearer',
    expires_in: minted.expiresInSeconds,
    scope: entitled.scopes.join(' '),
  } as const;
  return ok(grant.canRefresh ? { ...answer, refresh_token: parts.grants.issueRefreshToken(sid) } : answer);
}

function namesResource(parts: Parts, form: Parameters, grant: Grant): boolean {
  return !form.has('resource') || findResource(form.get('resource'), parts.resources) === grant.resource;
}

/** RFC 7636 section 4.6, S256 only. */
function matchesChallenge(verifier: string | undefined, challenge: string): boolean {
  if (verifier === undefined || !/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false;
  return isSameHash(createHash('sha256').update(verifier).digest('base64url'), challenge);
}
