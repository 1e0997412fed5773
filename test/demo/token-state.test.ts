import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, basic, type Demo, issuer, readAnswer, resource, startDemo } from './demo-fixture.ts';

let demo: Demo;
let clientId: string;
let tokens: Answer;
beforeEach(async () => {
  demo = await startDemo();
  clientId = await demo.register();
  tokens = await demo.tokens(clientId);
});
afterEach(() => demo.server.close());

const introspect = (token: string, headers: Record<string, string> = basic) =>
  demo.post('/introspect', { token }, headers);
const refresh = (token: string) =>
  demo.post('/token', { grant_type: 'refresh_token', client_id: clientId, refresh_token: token });

describe('introspection (RFC 7662)', () => {
  it('tells a resource server about a live access token', async () => {
    const { body } = await introspect(tokens.text('access_token'));
    expect(body).toMatchObject({
      active: true,
      iss: issuer,
      aud: resource,
      client_id: clientId,
      email: 'ada@example.com',
    });
    expect(body.sub).toBe(decodeJwt(tokens.text('access_token')).sub);
  });

  it('says inactive, and nothing else, of everything it cannot vouch for', async () => {
    const token = tokens.text('access_token');
    const [head, body] = token.split('.');
    for (const bad of ['x', `${head}.${body}.AAAA`, `${btoa('{"alg":"none","typ":"at+jwt"}')}.${body}.`])
      expect((await introspect(bad)).body).toEqual({ active: false });
    demo.clock.advance(900);
    expect((await introspect(token)).body).toEqual({ active: false });
  });

  it('is closed to strangers and public clients', async () => {
    const token = tokens.text('access_token');
    expect((await introspect(token, {})).status).toBe(401);
    expect((await demo.post('/introspect', { token, client_id: clientId })).status).toBe(401);
    const wrong = { authorization: `Basic ${btoa('gateway:wrong')}` };
    expect((await introspect(token, wrong)).status).toBe(401);
    expect((await demo.post('/introspect', {}, basic)).status).toBe(400);
  });

  it("tells a client with a secret about its own tokens, not about another's", async () => {
    const body = JSON.stringify({ redirect_uris: ['http://127.0.0.1/callback'] });
    const own = await readAnswer(await demo.send(`${issuer}/register`, { method: 'POST', body }));
    const credentials = { client_id: own.text('client_id'), client_secret: own.text('client_secret') };
    const other = await demo.post('/introspect', { token: tokens.text('access_token'), ...credentials });
    expect(other.body).toEqual({ active: false });
    const refreshOfOther = await demo.post('/introspect', {
      token: tokens.text('refresh_token'),
      ...credentials,
    });
    expect(refreshOfOther.body).toEqual({ active: false });
  });
});

describe('revocation (RFC 7009)', () => {
  it('of an access token ends that token alone', async () => {
    const answer = await demo.post('/revoke', { token: tokens.text('access_token'), client_id: clientId });
    expect(answer.status).toBe(200);
    expect((await introspect(tokens.text('access_token'))).body).toEqual({ active: false });
    expect((await refresh(tokens.text('refresh_token'))).status).toBe(200);
  });

  it('of a refresh token ends the grant with its access tokens', async () => {
    await demo.post('/revoke', { token: tokens.text('refresh_token'), client_id: clientId });
    expect((await introspect(tokens.text('access_token'))).body).toEqual({ active: false });
    expect((await refresh(tokens.text('refresh_token'))).body.error).toBe('invalid_grant');
  });

  it("refuses another client's token and leaves it alive", async () => {
    const other = await demo.register();
    for (const kind of ['access_token', 'refresh_token']) {
      const answer = await demo.post('/revoke', { token: tokens.text(kind), client_id: other });
      expect(answer.body.error).toBe('invalid_request');
    }
    expect((await introspect(tokens.text('access_token'))).body.active).toBe(true);
  });

  it('answers 200 for a token nobody knows, 401 for an unknown client, 400 without a token', async () => {
    expect((await demo.post('/revoke', { token: 'x', client_id: clientId })).status).toBe(200);
    expect((await demo.post('/revoke', { token: 'x', client_id: 'nobody' })).status).toBe(401);
    expect((await demo.post('/revoke', { client_id: clientId })).status).toBe(400);
  });
});

describe('token exchange (RFC 8693)', () => {
  const type = 'urn:ietf:params:oauth:token-type:access_token';
  const exchange = (more: Record<string, string>, headers: Record<string, string> = basic) =>
    demo.post(
      '/token',
      {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token: tokens.text('access_token'),
        subject_token_type: type,
        audience: 'http://billing.test',
        ...more,
      },
      headers,
    );

  it('gives the gateway a token for one backend: same user and session, narrower, no longer, naming the actor', async () => {
    demo.clock.advance(600);
    const answer = await exchange({ scope: 'mcp:billing:read mcp:billing:export' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      issued_token_type: type,
      scope: 'mcp:billing:read',
      expires_in: 300,
    });
    expect(answer.body.refresh_token).toBeUndefined();
    const subject = decodeJwt(tokens.text('access_token'));
    const claims = decodeJwt(answer.text('access_token'));
    expect(decodeProtectedHeader(answer.text('access_token')).typ).toBe('at+jwt');
    expect(claims).toMatchObject({
      sub: subject.sub,
      sid: subject.sid,
      exp: subject.exp,
      aud: 'http://billing.test',
    });
    expect(claims.act).toEqual({ sub: 'gateway' });
  });

  it('is for listed clients and their listed audiences only', async () => {
    expect((await exchange({ client_id: clientId }, {})).body.error).toBe('unauthorized_client');
    for (const audience of ['http://other.test', resource])
      expect((await exchange({ audience })).body.error).toBe('invalid_target');
  });

  it('takes no dead, foreign, or already exchanged token', async () => {
    const once = await exchange({});
    expect((await exchange({ subject_token: once.text('access_token') })).body.error).toBe('invalid_request');
    expect((await exchange({ subject_token: tokens.text('refresh_token') })).body.error).toBe(
      'invalid_request',
    );
    await demo.post('/revoke', { token: tokens.text('access_token'), client_id: clientId });
    expect((await exchange({})).body.error).toBe('invalid_request');
    tokens = await demo.tokens(clientId);
    await demo.server.revokeUser('ada@example.com');
    expect((await exchange({})).body.error).toBe('invalid_request');
  });

  it('takes no other kinds of token, no actor token, and no scope the subject token lacks', async () => {
    expect((await exchange({ subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' })).body.error).toBe(
      'invalid_request',
    );
    expect(
      (await exchange({ requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' })).body.error,
    ).toBe('invalid_request');
    expect((await exchange({ actor_token: 'x' })).body.error).toBe('invalid_request');
    expect((await exchange({ scope: 'mcp:billing:export' })).body.error).toBe('invalid_scope');
  });
});
