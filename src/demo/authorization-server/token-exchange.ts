import { err, ok, type Result } from '#kernel/result.ts';
import type { OAuthError } from './answers.ts';
import type { Client } from './clients.ts';
import type { Parts } from './endpoint.ts';
import type { Parameters } from './parameters.ts';
import type { TokenAnswer } from './token-endpoint.ts';

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/**
 * A user's access token for one that a single backend accepts (RFC 8693): the same user and session, no scope more,
 * no second longer, and `act` naming who asked. Only clients listed for that audience may; the answer cannot be
 * exchanged again.
 */
export async function exchangeToken(
  parts: Parts,
  client: Client,
  form: Parameters,
): Promise<Result<TokenAnswer, OAuthError>> {
  const { tokens, grants, users, scopes, resources } = parts;
  if (client.exchangeAudiences.length === 0)
    return err({ error: 'unauthorized_client', description: 'This client may not exchange tokens.' });
  const audience = form.get('audience') ?? form.get('resource');
  if (audience === undefined || !client.exchangeAudiences.includes(audience))
    return err({
      error: 'invalid_target',
      description: 'This client may not exchange tokens for that audience.',
    });
  const requestedType = form.get('requested_token_type') ?? accessTokenType;
  if (
    form.get('subject_token_type') !== accessTokenType ||
    requestedType !== accessTokenType ||
    form.has('actor_token')
  )
    return err({
      error: 'invalid_request',
      description: 'Only access tokens are exchanged, without an actor token.',
    });

  const subject = await tokens.verify(form.get('subject_token') ?? '');
  const user = subject === undefined ? undefined : users.bySubject(subject.sub);
  const isLive =
    subject !== undefined &&
    !grants.isAccessTokenRevoked(subject.jti) &&
    grants.find(subject.sid) !== undefined;
  if (subject === undefined || user === undefined || !isLive || !resources.includes(subject.audience))
    return err({ error: 'invalid_request', description: 'The subject token is not valid.' });

  const asked = form.has('scope') ? scopes.requested(form.get('scope')) : ok(subject.scopes);
  const narrowed = asked.ok ? subject.scopes.filter((scope) => asked.value.includes(scope)) : [];
  if (narrowed.length === 0)
    return err({ error: 'invalid_scope', description: 'The subject token holds none of these scopes.' });
  const minted = await tokens.mint({
    user,
    audience,
    clientId: client.id,
    scopes: narrowed,
    sid: subject.sid,
    notAfter: subject.expiresAt,
    actor: client.id,
  });
  return ok({
    access_token: minted.token,
    token_type: 'Bearer',
    expires_in: minted.expiresInSeconds,
    scope: narrowed.join(' '),
    issued_token_type: accessTokenType,
  });
}
