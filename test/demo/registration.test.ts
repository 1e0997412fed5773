import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAcceptableRedirectUri, matchesRegistered } from '#demo/authorization-server/redirect-uri.ts';
import { addressRange } from '#demo/authorization-server/window-limiter.ts';
import { type Demo, issuer, readAnswer, redemption, startDemo } from './demo-fixture.ts';

let demo: Demo;
beforeEach(async () => {
  demo = await startDemo();
});
afterEach(() => demo.server.close());

const register = async (metadata: unknown, to = demo) =>
  readAnswer(await to.send(`${issuer}/register`, { method: 'POST', body: JSON.stringify(metadata) }));
const uris = { redirect_uris: ['http://127.0.0.1/callback'] };

describe('registration (RFC 7591)', () => {
  it('answers with what was registered, a secret unless the client is public', async () => {
    const client = await register({ ...uris, client_name: 'X', token_endpoint_auth_method: 'none' });
    expect(client.status).toBe(201);
    expect(client.headers.get('cache-control')).toBe('no-store');
    expect(client.body).toMatchObject({
      ...uris,
      client_name: 'X',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    });
    expect(client.body.client_secret).toBeUndefined();
    const confidential = await register(uris);
    expect(confidential.body).toMatchObject({
      token_endpoint_auth_method: 'client_secret_basic',
      client_secret_expires_at: 0,
    });
    expect(confidential.text('client_secret')).toHaveLength(43);
  });

  it('drops grant types it does not know, and needs the code one', async () => {
    const client = await register({ ...uris, grant_types: ['authorization_code', 'implicit'] });
    expect(client.body.grant_types).toEqual(['authorization_code']);
    expect((await register({ ...uris, grant_types: ['implicit'] })).body.error).toBe(
      'invalid_client_metadata',
    );
  });

  it.each([
    ['no redirect URIs', {}],
    ['an empty list', { redirect_uris: [] }],
    ['eleven of them', { redirect_uris: Array.from({ length: 11 }, (_, n) => `https://a.test/${n}`) }],
    ['plain http to elsewhere', { redirect_uris: ['http://a.test/cb'] }],
    ['javascript', { redirect_uris: ['javascript:alert(1)'] }],
    ['a web application on loopback', { ...uris, application_type: 'web' }],
    [
      'a web application with a scheme of its own',
      { redirect_uris: ['https://a.test/cb', 'app:/cb'], application_type: 'web' },
    ],
    ['a good one beside a bad one', { redirect_uris: ['app:/cb', 'javascript:/alert(1)'] }],
  ])('refuses %s', async (_name, metadata) => {
    const answer = await register(metadata);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toBe('invalid_redirect_uri');
  });

  it.each([
    ['an array', []],
    ['another authentication', { ...uris, token_endpoint_auth_method: 'private_key_jwt' }],
    ['another application type', { ...uris, application_type: 'car' }],
    ['another response type', { ...uris, response_types: ['token'] }],
  ])('refuses %s as metadata', async (_name, metadata) => {
    expect((await register(metadata)).body.error).toBe('invalid_client_metadata');
  });

  it('takes native applications on loopback and web applications on https', async () => {
    expect((await register({ ...uris, application_type: 'native' })).status).toBe(201);
    expect((await register({ redirect_uris: ['https://a.test/cb'], application_type: 'web' })).status).toBe(
      201,
    );
  });

  it('refuses a body that is too large', async () => {
    expect((await register({ ...uris, client_name: 'x'.repeat(20_000) })).status).toBe(400);
  });

  it('is limited per address range', async () => {
    for (let count = 0; count < 30; count += 1) expect((await register(uris)).status).toBe(201);
    const limited = await register(uris);
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    demo.clock.advance(3_600);
    expect((await register(uris)).status).toBe(201);
  });

  it('when full, drops old clients that nobody used, never one in use', async () => {
    const small = await startDemo({ limits: { maxClients: 2 } });
    const used = await small.register();
    await small.tokens(used);
    const unused = await small.register();
    expect((await register(uris, small)).status).toBe(503);
    small.clock.advance(3_601);
    expect((await register(uris, small)).status).toBe(201);
    expect((await small.tokens(used)).status).toBe(200);
    await expect(small.tokens(unused)).rejects.toThrow();
    small.server.close();
  });
});

describe('client authentication', () => {
  it('takes a secret by Basic or in the form, never none and never both', async () => {
    const client = await register(uris);
    const [id, secret] = [client.text('client_id'), client.text('client_secret')];
    const basic = {
      authorization: `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}`,
    };
    const attempt = async (form: Record<string, string>, headers: Record<string, string>) => {
      const redirect = await demo.authorize({ client_id: id });
      const { client_id: _, ...rest } = redemption(id, redirect);
      return demo.post('/token', { ...rest, ...form }, headers);
    };
    expect((await attempt({}, basic)).status).toBe(200);
    expect((await attempt({ client_id: id, client_secret: secret }, {})).status).toBe(200);
    for (const [form, headers] of [
      [{ client_id: id }, {}],
      [{ client_id: id, client_secret: 'wrong' }, {}],
      [{ client_secret: secret }, basic],
      [{ client_id: 'other' }, basic],
      [{}, { authorization: `Basic ${btoa(`${id}:wrong`)}` }],
      [{}, { authorization: 'Basic ???' }],
      [{}, { authorization: `Basic ${btoa('%zz:x')}` }],
      [{ client_id: id, client_secret: secret }, { authorization: 'Bearer x' }],
    ] as const) {
      demo.clock.advance(3_600);
      const answer = await attempt(form, headers);
      expect(answer.status, JSON.stringify([form, headers])).toBe(401);
      expect(answer.body.error).toBe('invalid_client');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic/);
    }
  });

  it('refuses a secret from a client that has none', async () => {
    const id = await demo.register();
    const redirect = await demo.authorize({ client_id: id });
    const answer = await demo.post('/token', { ...redemption(id, redirect), client_secret: 'x' });
    expect(answer.status).toBe(401);
  });

  it('refuses other bodies and other grants', async () => {
    const id = await demo.register();
    const json = await readAnswer(await demo.send(`${issuer}/token`, { method: 'POST', body: '{}' }));
    expect(json.body.error).toBe('invalid_request');
    expect((await demo.post('/token', { client_id: id, grant_type: 'password' })).body.error).toBe(
      'unsupported_grant_type',
    );
    expect((await demo.post('/token', { client_id: id, grant_type: 'constructor' })).body.error).toBe(
      'unsupported_grant_type',
    );
    const twice = await demo.send(`${issuer}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `client_id=${id}&client_id=${id}`,
    });
    expect((await readAnswer(twice)).body.error).toBe('invalid_request');
    const large = await demo.post('/token', { client_id: id, code: 'x'.repeat(20_000) });
    expect(large.body.error).toBe('invalid_request');
  });
});

describe('redirect URIs', () => {
  it.each([
    'https://a.test/cb',
    'https://a.test',
    'http://localhost/cb',
    'http://127.0.0.1:1234/cb?x=1',
    'http://[::1]/cb',
  ])('may be %s', (uri) => expect(isAcceptableRedirectUri(uri)).toBe(true));

  it.each([
    'https://a.test/cb#f',
    'https://u:p@a.test/cb',
    'http://localhost.evil.test/cb',
    'http://127.0.0.1@evil.test/cb',
    'http://127.0.0.1:80\\@evil.test/cb',
    'https://a.test/c b',
    'https://a.test/c\r\nb',
    'https://[::1/cb',
    'data:text/html,x',
    `https://a.test/${'x'.repeat(2_000)}`,
  ])('may not be %s', (uri) => expect(isAcceptableRedirectUri(uri)).toBe(false));

  it('match byte for byte, except for the port on loopback (RFC 8252)', () => {
    expect(matchesRegistered('http://127.0.0.1:5000/cb', ['http://127.0.0.1:3000/cb'])).toBe(true);
    expect(matchesRegistered('http://[::1]:5000/cb', ['http://[::1]/cb'])).toBe(true);
    expect(matchesRegistered('https://a.test:444/cb', ['https://a.test/cb'])).toBe(false);
    expect(matchesRegistered('https://a.test/CB', ['https://a.test/cb'])).toBe(false);
    expect(matchesRegistered('http://localhost:5000/cb', ['http://127.0.0.1/cb'])).toBe(false);
  });
});

describe('address ranges', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['::ffff:203.0.113.9', '203.0.113.0/24'],
    ['2001:db8:0:ff::1', '2001:db8:0::/48'],
    ['2001:DB8::1', '2001:db8:0::/48'],
    ['2001:0db8:0000:1:2:3:4:5', '2001:db8:0::/48'],
    ['::1', '0:0:0::/48'],
    ['unix', 'unix'],
  ])('%s counts as %s', (address, range) => expect(addressRange(address)).toBe(range));
});
