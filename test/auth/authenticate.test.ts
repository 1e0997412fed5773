import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KeyServer, makeKey, publish, type SigningKey, sign, startKeyServer } from './key-server.ts';
import { canonicalUrl, createResourceServer, goodClaims, principalOf, reasonOf } from './resource-server.ts';

let server: KeyServer;
let keys: readonly SigningKey[];
let rsa: SigningKey;

beforeAll(async () => {
  server = startKeyServer();
  keys = await Promise.all(['RS256', 'PS256', 'ES256', 'EdDSA'].map((alg) => makeKey(alg, `k-${alg}`)));
  rsa = await makeKey('RS256', 'rsa');
  publish(server, [...keys, rsa]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function setUp(settings: Parameters<typeof createResourceServer>[1] = {}, issuer = {}) {
  return createResourceServer([{ url: server.origin, ...issuer }], settings);
}

describe('a good token', () => {
  test.each([0, 1, 2, 3])('is accepted with each default algorithm (%i)', async (at) => {
    using gateway = setUp();
    const key = keys[at] ?? rsa;
    const principal = principalOf(
      await gateway.ask(await sign(key, goodClaims(server.origin, gateway.clock))),
    );
    expect(principal).toMatchObject({
      kind: 'user',
      issuer: server.origin,
      subject: 'alice',
      key: JSON.stringify([server.origin, 'alice']),
      clientId: 'client-1',
      tokenScopes: ['notes:read', 'notes:write'],
      scopeKey: 'notes:read notes:write',
      audience: [canonicalUrl],
      issuedAt: gateway.clock.seconds(),
      expiresAt: gateway.clock.seconds() + 3_600,
      tokenKind: 'jwt',
      email: undefined,
      role: undefined,
      pool: undefined,
      tokenId: undefined,
      sessionId: undefined,
      plan: undefined,
    });
  });

  test('keeps itself as a secret that does not print', async () => {
    using gateway = setUp();
    const token = await sign(rsa, goodClaims(server.origin, gateway.clock));
    const principal = principalOf(await gateway.ask(token));
    expect(principal.token.reveal()).toBe(token);
    expect(JSON.stringify(principal)).not.toContain(token);
  });

  test.each(['JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', undefined])(
    'may have the type %s',
    async (typ) => {
      using gateway = setUp();
      const token = await sign(rsa, goodClaims(server.origin, gateway.clock), { typ });
      expect(reasonOf(await gateway.ask(token))).toBe('admitted');
    },
  );

  test.each(['', '?mode=search', '?backends=notes,billing&mode=search', '?backends=a%2Cb'])(
    'names the canonical URL with the known query "%s" as its audience (R34)',
    async (query) => {
      using gateway = setUp();
      const claims = {
        ...goodClaims(server.origin, gateway.clock),
        aud: ['https://other', canonicalUrl + query],
      };
      expect(reasonOf(await gateway.ask(await sign(rsa, claims)))).toBe('admitted');
    },
  );

  test.each(['bearer', 'BEARER', 'Bearer'])('may be sent with the scheme written %s', async (scheme) => {
    using gateway = setUp();
    const token = await sign(rsa, goodClaims(server.origin, gateway.clock));
    expect(reasonOf(await gateway.ask(`${scheme} ${token}`))).toBe('admitted');
  });

  test('needs no kid where one published key fits its algorithm', async () => {
    using gateway = setUp();
    const ec = keys[2] ?? rsa;
    const token = await sign(ec, goodClaims(server.origin, gateway.clock), { kid: undefined });
    expect(reasonOf(await gateway.ask(token))).toBe('admitted');
  });

  test('may be 30 s past its end or 30 s ahead of our clock, and no more', async () => {
    using gateway = setUp();
    const now = gateway.clock.seconds();
    const claims = goodClaims(server.origin, gateway.clock);
    const ask = async (over: object) => reasonOf(await gateway.ask(await sign(rsa, { ...claims, ...over })));
    expect(await ask({ exp: now - 29 })).toBe('admitted');
    expect(await ask({ exp: now - 30 })).toBe('expired');
    expect(await ask({ iat: now + 30 })).toBe('admitted');
    expect(await ask({ iat: now + 31 })).toBe('not_yet_valid');
    expect(await ask({ nbf: now + 31 })).toBe('not_yet_valid');
  });

  test('of a configured audience is accepted, and the canonical URL then is not', async () => {
    using gateway = setUp({}, { audience: ['api://cortex'] });
    const claims = goodClaims(server.origin, gateway.clock);
    expect(reasonOf(await gateway.ask(await sign(rsa, { ...claims, aud: 'api://cortex' })))).toBe('admitted');
    expect(reasonOf(await gateway.ask(await sign(rsa, { ...claims, aud: 'api://cortex?mode=search' })))).toBe(
      'audience_refused',
    );
    expect(reasonOf(await gateway.ask(await sign(rsa, claims)))).toBe('audience_refused');
  });
});

describe('a token verified before', () => {
  test('is answered at once with the same principal, until it expires', async () => {
    using gateway = setUp();
    const token = await sign(rsa, goodClaims(server.origin, gateway.clock));
    const headers = new Headers({ authorization: `Bearer ${token}` });
    const url = new URL('http://127.0.0.1/mcp');
    const first = principalOf(await gateway.authenticator.authenticate(headers, url));
    const again = gateway.authenticator.authenticate(headers, url);
    if (again instanceof Promise) throw new Error('a known token must not need a promise');
    expect(principalOf(again)).toBe(first);
    gateway.clock.advance(3_600_000 + 31_000);
    expect(reasonOf(await gateway.authenticator.authenticate(headers, url))).toBe('expired');
  });

  test('ends with the maximum age even if exp is 28 years away', async () => {
    using gateway = setUp({}, { maxTokenAgeSeconds: 600 });
    const claims = goodClaims(server.origin, gateway.clock);
    const token = await sign(rsa, { ...claims, exp: gateway.clock.seconds() + 28 * 31_536_000 });
    const principal = principalOf(await gateway.ask(token));
    expect(principal.expiresAt).toBe(gateway.clock.seconds() + 600);
    gateway.clock.advance(631_000);
    expect(reasonOf(await gateway.ask(token))).toBe('too_old');
  });

  test('is refused in the query all the same (R35)', async () => {
    using gateway = setUp();
    const token = await sign(rsa, goodClaims(server.origin, gateway.clock));
    expect(reasonOf(await gateway.ask(token))).toBe('admitted');
    expect(reasonOf(await gateway.ask(token, `?access_token=${token}`))).toBe('token_in_query');
    expect(reasonOf(await gateway.ask(token, `?mode=search&access%5Ftoken=${token}`))).toBe('token_in_query');
  });

  test('is verified again after a flush', async () => {
    using gateway = setUp();
    const token = await sign(rsa, goodClaims(server.origin, gateway.clock));
    const first = principalOf(await gateway.ask(token));
    gateway.authenticator.flush();
    expect(principalOf(await gateway.ask(token))).not.toBe(first);
  });

  test('is not remembered when the flush came while it was verified', async () => {
    using gateway = setUp();
    const token = await sign(rsa, goodClaims(server.origin, gateway.clock));
    principalOf(await gateway.ask(token));
    gateway.authenticator.flush();
    principalOf(
      await gateway.ask(await sign(rsa, { ...goodClaims(server.origin, gateway.clock), sub: 'bob' })),
    );
    const other = await sign(rsa, { ...goodClaims(server.origin, gateway.clock), sub: 'carol' });
    const underWay = gateway.ask(other);
    gateway.authenticator.flush();
    expect(reasonOf(await underWay)).toBe('admitted');
    const headers = new Headers({ authorization: `Bearer ${other}` });
    expect(gateway.authenticator.authenticate(headers, { search: '' })).toBeInstanceOf(Promise);
  });
});

describe('what the log learns', () => {
  test('is the private reason, and never the token', async () => {
    using gateway = setUp();
    const claims = { ...goodClaims(server.origin, gateway.clock), aud: 'https://elsewhere' };
    const token = await sign(rsa, claims);
    await gateway.ask(token);
    const line = gateway.lines.find(({ event }) => event === 'auth.refused');
    expect(line?.fields).toEqual({
      reason: 'audience_refused',
      issuer: server.origin,
      detail: 'aud "https://elsewhere"',
    });
    expect(JSON.stringify(gateway.lines)).not.toContain(token.slice(0, 40));
  });

  test('is bounded, whatever a token says', async () => {
    using gateway = setUp();
    const claims = { ...goodClaims(server.origin, gateway.clock), iss: `https://${'x'.repeat(5_000)}` };
    await gateway.ask(await sign(rsa, claims));
    const line = gateway.lines.find(({ event }) => event === 'auth.refused');
    expect(String(line?.fields.detail).length).toBe(200);
  });

  test('is nothing for a request without a token', async () => {
    using gateway = setUp();
    await gateway.ask(undefined);
    expect(gateway.lines).toEqual([]);
  });
});
