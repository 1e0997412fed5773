import { jsonAnswer, oauthErrorAnswer } from './answers.ts';
import { authenticateClient } from './client-authentication.ts';
import type { Endpoint, Parts } from './endpoint.ts';
import { readForm } from './parameters.ts';

const badRequest = {
  error: 'invalid_request',
  description: 'One form with a token, no parameter twice.',
} as const;
const badClient = {
  error: 'invalid_client',
  description: 'The client is not known, or its secret is wrong.',
} as const;

/**
 * Revocation (RFC 7009) of both kinds of token. An access token ends alone; a refresh token takes its grant with it.
 * A token nobody knows is answered 200, one of another client is refused.
 */
export function createRevocationEndpoint(parts: Parts): Endpoint {
  const { clients, grants, tokens, revocations, limits } = parts;
  return async ({ request, address }) => {
    const form = await readForm(request, limits.maxBodyBytes);
    const token = form.ok ? form.value.get('token') : undefined;
    if (!form.ok || token === undefined) return oauthErrorAnswer(badRequest);
    const client = await authenticateClient(request, form.value, clients, address);
    if (!client.ok) return oauthErrorAnswer(badClient);

    const refresh = grants.findRefreshToken(token);
    const access = refresh === undefined ? await tokens.verify(token) : undefined;
    const owner = refresh?.grant.clientId ?? access?.clientId;
    if (owner !== undefined && owner !== client.value.id)
      return oauthErrorAnswer({
        error: 'invalid_request',
        description: 'The token was issued to another client.',
      });
    if (refresh !== undefined) await revocations.grant(refresh.grant.id, refresh.grant.sub);
    if (access !== undefined) await revocations.accessToken(access);
    return jsonAnswer({});
  };
}

/**
 * Introspection (RFC 7662), for resource servers, and for a client with a secret about its own tokens. Everything
 * else is `{"active": false}`, without a reason.
 */
export function createIntrospectionEndpoint(parts: Parts): Endpoint {
  const { issuer, clients, grants, tokens, users, limits } = parts;
  return async ({ request, address }) => {
    const form = await readForm(request, limits.maxBodyBytes);
    const token = form.ok ? form.value.get('token') : undefined;
    if (!form.ok || token === undefined) return oauthErrorAnswer(badRequest);
    const client = await authenticateClient(request, form.value, clients, address);
    if (!client.ok || client.value.secretHash === undefined) return oauthErrorAnswer(badClient);

    const mayRead = (owner: string) => client.value.isResourceServer || owner === client.value.id;
    const refresh = grants.findRefreshToken(token);
    if (refresh !== undefined) {
      const { grant, isUsed } = refresh;
      if (isUsed || grant.clientId !== client.value.id) return jsonAnswer({ active: false });
      return jsonAnswer({
        active: true,
        client_id: grant.clientId,
        sub: grant.sub,
        scope: grant.scopes.join(' '),
      });
    }
    const claims = await tokens.verify(token);
    if (claims === undefined || !mayRead(claims.clientId)) return jsonAnswer({ active: false });
    if (grants.isAccessTokenRevoked(claims.jti) || grants.find(claims.sid) === undefined)
      return jsonAnswer({ active: false });
    const user = users.bySubject(claims.sub);
    return jsonAnswer({
      active: true,
      token_type: 'Bearer',
      iss: issuer,
      sub: claims.sub,
      aud: claims.audience,
      client_id: claims.clientId,
      scope: claims.scopes.join(' '),
      sid: claims.sid,
      jti: claims.jti,
      iat: claims.issuedAt,
      exp: claims.expiresAt,
      email: user?.email,
      role: user?.role,
    });
  };
}
