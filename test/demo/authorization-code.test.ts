import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  authorizationUrl,
  basic,
  type Demo,
  issuer,
  redemption,
  redirectUri,
  resource,
  startDemo,
} from './demo-fixture.ts';

let demo: Demo;
let clientId: string;
beforeEach(async () => {
  demo = await startDemo();
  clientId = await demo.register();
});
afterEach(() => demo.server.close());

const isActive = async (token: string) => (await demo.post('/introspect', { token }, basic)).body.active;

describe('the authorization code flow', () => {
  it('ends at the client with a code, its state and the issuer (RFC 9207)', async () => {
    const redirect = await demo.authorize({ client_id: clientId });
    expect(`${redirect.origin}${redirect.pathname}`).toBe(redirectUri);
    expect(redirect.searchParams.get('state')).toBe('the-state');
    expect(redirect.searchParams.get('iss')).toBe(issuer);
    expect(redirect.searchParams.get('code')).toMatch(/^[\w-]{43}$/);
  });

  it('issues an at+jwt that verifies against the published keys and carries every claim', async () => {
    const answer = await demo.tokens(clientId);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'mcp:notes:read mcp:notes:write mcp:billing:read',
    });
    const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`), {
      [customFetch]: (url: string) => demo.send(url),
    });
    const { payload, protectedHeader } = await jwtVerify(answer.text('access_token'), keys, {
      issuer,
      audience: resource,
      typ: 'at+jwt',
      currentDate: new Date(demo.clock.now()),
      requiredClaims: ['sub', 'exp', 'iat', 'jti', 'sid'],
    });
    expect(protectedHeader.alg).toBe('RS256');
    expect(payload).toMatchObject({
      client_id: clientId,
      email: 'ada@example.com',
      role: 'member',
      aud: resource,
    });
    expect(payload.scope).toBe('mcp:notes:read mcp:notes:write mcp:billing:read');
  });

  it('gives the same person the same subject again, and another person another', async () => {
    const first = decodeJwt((await demo.tokens(clientId)).text('access_token')).sub;
    const again = decodeJwt((await demo.tokens(clientId)).text('access_token')).sub;
    const other = await demo.tokens(clientId, {}, { email: 'bob@example.com' });
    expect(again).toBe(first);
    expect(decodeJwt(other.text('access_token')).sub).not.toBe(first);
  });

  it('tells the client when the user says no', async () => {
    const redirect = await demo.authorize({ client_id: clientId }, { decision: 'deny' });
    expect(redirect.searchParams.get('error')).toBe('access_denied');
    expect(redirect.searchParams.get('iss')).toBe(issuer);
    expect(redirect.searchParams.has('code')).toBe(false);
  });
});

describe('a stolen code', () => {
  it('is refused with another verifier, and stays good for its owner', async () => {
    const redirect = await demo.authorize({ client_id: clientId });
    const form = redemption(clientId, redirect);
    for (const code_verifier of ['w'.repeat(43), '', 'short'])
      expect((await demo.post('/token', { ...form, code_verifier })).body.error).toBe('invalid_grant');
    expect((await demo.post('/token', form)).status).toBe(200);
  });

  it('is refused for another client', async () => {
    const redirect = await demo.authorize({ client_id: clientId });
    const thief = await demo.register();
    const answer = await demo.post('/token', { ...redemption(clientId, redirect), client_id: thief });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toBe('invalid_grant');
  });

  it('is refused with another redirect URI than the one it was sent to', async () => {
    const redirect = await demo.authorize({ client_id: clientId });
    const form = redemption(clientId, redirect);
    for (const redirect_uri of ['http://127.0.0.1:41001/callback', 'http://127.0.0.1/callback'])
      expect((await demo.post('/token', { ...form, redirect_uri })).body.error).toBe('invalid_grant');
  });

  it('kills the grant and its tokens when it comes a second time', async () => {
    const redirect = await demo.authorize({ client_id: clientId });
    const first = await demo.post('/token', redemption(clientId, redirect));
    expect(await isActive(first.text('access_token'))).toBe(true);

    const replay = await demo.post('/token', redemption(clientId, redirect));
    expect(replay.body.error).toBe('invalid_grant');
    expect(await isActive(first.text('access_token'))).toBe(false);
    const refreshed = await demo.post('/token', {
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: first.text('refresh_token'),
    });
    expect(refreshed.body.error).toBe('invalid_grant');
  });

  it('is redeemed at most once by many requests at the same time, and then by none', async () => {
    const redirect = await demo.authorize({ client_id: clientId });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => demo.post('/token', redemption(clientId, redirect))),
    );
    const tokens = answers.filter((answer) => answer.status === 200);
    expect(tokens.length).toBeLessThanOrEqual(1);
    for (const answer of tokens) expect(await isActive(answer.text('access_token'))).toBe(false);
  });

  it('expires after a minute', async () => {
    const redirect = await demo.authorize({ client_id: clientId });
    demo.clock.advance(60);
    expect((await demo.post('/token', redemption(clientId, redirect))).body.error).toBe('invalid_grant');
  });
});

describe('the authorization request', () => {
  const errorOf = async (parameters: Record<string, string | undefined>) => {
    const answer = await demo.send(authorizationUrl({ client_id: clientId, ...parameters }), {
      redirect: 'manual',
    });
    const location = new URL(answer.headers.get('location') ?? 'none:');
    expect(location.searchParams.get('iss')).toBe(issuer);
    return location.searchParams.get('error');
  };

  it('needs PKCE with S256', async () => {
    expect(await errorOf({ code_challenge: undefined })).toBe('invalid_request');
    expect(await errorOf({ code_challenge_method: undefined })).toBe('invalid_request');
    expect(await errorOf({ code_challenge_method: 'plain' })).toBe('invalid_request');
    expect(await errorOf({ code_challenge: 'short' })).toBe('invalid_request');
  });

  it('needs response_type code', async () => {
    expect(await errorOf({ response_type: 'token' })).toBe('unsupported_response_type');
    expect(await errorOf({ response_type: undefined })).toBe('unsupported_response_type');
  });

  it('refuses a parameter that comes twice', async () => {
    const twice = `${authorizationUrl({ client_id: clientId })}&scope=a&scope=b`;
    const location = (await demo.send(twice)).headers.get('location') ?? '';
    expect(new URL(location).searchParams.get('error')).toBe('invalid_request');
    const resources = `${authorizationUrl({ client_id: clientId })}&resource=http://other.test/mcp`;
    expect(
      new URL((await demo.send(resources)).headers.get('location') ?? '').searchParams.get('error'),
    ).toBe('invalid_target');
  });

  it('never redirects to an address that the client has not registered', async () => {
    for (const redirect_uri of [
      'https://evil.test/callback',
      'http://127.0.0.1:41000/other',
      'http://127.0.0.1:41000/callback?x=1',
      'http://127.0.0.1:41000/callback/../callback',
      'http://localhost:41000/callback',
      'http://127.0.0.1:41000@evil.test/callback',
      'http://127.0.0.1.evil.test/callback',
      'https://127.0.0.1:41000/callback',
    ]) {
      const answer = await demo.send(authorizationUrl({ client_id: clientId, redirect_uri }));
      expect(answer.status, redirect_uri).toBe(400);
      expect(answer.headers.get('location')).toBeNull();
    }
    const twice = `${authorizationUrl({ client_id: clientId })}&redirect_uri=https://evil.test/`;
    expect((await demo.send(twice)).status).toBe(400);
  });

  it('never redirects for a client it does not know', async () => {
    for (const client_id of ['nobody', '', undefined]) {
      const answer = await demo.send(authorizationUrl({ client_id }));
      expect(answer.status).toBe(400);
      expect(answer.headers.get('location')).toBeNull();
    }
  });

  it('is no open redirector: errors for a registered web address are a page with a link', async () => {
    const web = await demo.register({ redirect_uris: ['https://phish.test/landing'] });
    const url = authorizationUrl({
      client_id: web,
      redirect_uri: 'https://phish.test/landing',
      response_type: 'x',
    });
    const answer = await demo.send(url);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
    expect(await answer.text()).toContain('Back to phish.test');
  });

  describe('for an application with a scheme of its own', () => {
    const redirect_uri = 'cursor://anysphere.cursor-mcp/oauth/callback';
    beforeEach(async () => {
      clientId = await demo.register({ redirect_uris: [redirect_uri] });
    });

    it.each([
      ['no challenge', { code_challenge: undefined }],
      ['a plain one', { code_challenge_method: 'plain' }],
      ['no method', { code_challenge_method: undefined }],
      ['another response type', { response_type: 'token' }],
    ])('opens no app by itself on %s: the error is a page with a link', async (_what, wrong) => {
      const answer = await demo.send(authorizationUrl({ client_id: clientId, redirect_uri, ...wrong }));
      expect(answer.status).toBe(400);
      expect(answer.headers.get('location')).toBeNull();
      const html = await answer.text();
      expect(html).toContain('Back to the app that opens cursor: links');
      expect(html).toContain(`href="${redirect_uri}?error=`);
    });

    it('gives the code to whom has the verifier alone, since another app may claim the scheme', async () => {
      const arrived = await demo.authorize({ client_id: clientId, redirect_uri });
      const stolen = { ...redemption(clientId, arrived), redirect_uri };
      expect((await demo.post('/token', { ...stolen, code_verifier: 'w'.repeat(43) })).body.error).toBe(
        'invalid_grant',
      );
      const { code_verifier: _, ...without } = redemption(clientId, arrived);
      expect((await demo.post('/token', { ...without, redirect_uri })).status).toBe(400);
    });

    it('tells the app that the user said no', async () => {
      const arrived = await demo.authorize({ client_id: clientId, redirect_uri }, { decision: 'deny' });
      expect(arrived.href).toMatch(
        /^cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback\?error=access_denied&/,
      );
    });
  });
});

describe('the resource (RFC 8707)', () => {
  const isTaken = async (named: string | undefined) => {
    const answer = await demo.send(authorizationUrl({ client_id: clientId, resource: named }));
    return answer.headers.get('location')?.startsWith('/sign-in') ?? false;
  };

  it('must be the known one byte for byte, with or without the choices of the URL', async () => {
    for (const named of [
      undefined,
      resource,
      `${resource}?backends=a,b&mode=search`,
      `${resource}?mode=search`,
    ])
      expect(await isTaken(named), named).toBe(true);
    for (const named of [
      `${resource}/`,
      'http://gateway.test',
      'HTTP://gateway.test/mcp',
      'http://gateway.test/%6dcp',
      `${resource}?other=1`,
      `${resource}?`,
      `${resource}?mode=a#b`,
      'http://other.test/mcp?mode=search',
    ])
      expect(await isTaken(named), named).toBe(false);
  });

  it('becomes the audience without the choices, so that every backend knows it', async () => {
    const answer = await demo.tokens(clientId, { resource: `${resource}?mode=search` });
    expect(decodeJwt(answer.text('access_token')).aud).toBe(resource);
  });

  it('cannot change between the consent and the token', async () => {
    const other = 'http://second.test/mcp';
    const two = await startDemo({ resources: [resource, other] });
    const id = await two.register();
    const redirect = await two.authorize({ client_id: id });
    const answer = await two.post('/token', { ...redemption(id, redirect), resource: other });
    expect(answer.body.error).toBe('invalid_target');
    expect((await two.post('/token', { ...redemption(id, redirect), resource })).status).toBe(200);
    two.server.close();
  });
});

describe('scopes', () => {
  const scopeOf = async (scope: string | undefined) => (await demo.tokens(clientId, { scope })).text('scope');

  it('are those of the plan where none is asked for', async () => {
    expect(await scopeOf(undefined)).toBe('mcp:notes:read mcp:notes:write mcp:billing:read');
    expect(await scopeOf('openid offline_access')).toBe('mcp:notes:read mcp:notes:write mcp:billing:read');
  });

  it('are narrowed to what exists and what the plan holds, instead of failing', async () => {
    expect(await scopeOf('mcp:notes:read mcp:billing:export admin')).toBe('mcp:notes:read');
  });

  it('are refused where not one of them exists', async () => {
    const visit = await demo.browser().open(authorizationUrl({ client_id: clientId, scope: 'admin' }));
    if (visit.kind !== 'left') throw new Error('Expected a redirect.');
    expect(new URL(visit.location).searchParams.get('error')).toBe('invalid_scope');
  });

  it('are refused on a page, which says what to do, where the plan holds none', async () => {
    const browser = demo.browser();
    await demo.authorize({ client_id: clientId }, { browser });
    const visit = await browser.open(authorizationUrl({ client_id: clientId, scope: 'mcp:billing:export' }));
    if (visit.kind !== 'page') throw new Error('Expected a page.');
    expect(visit.page.status).toBe(400);
    expect(visit.page.html).toContain('You can change it on your account page.');
    expect(visit.page.html).toContain(`href="${redirectUri}?error=invalid_scope`);
  });
});
