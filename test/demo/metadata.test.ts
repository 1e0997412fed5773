import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Demo, issuer, readAnswer, startDemo } from './demo-fixture.ts';

let demo: Demo;
beforeEach(async () => {
  demo = await startDemo();
});
afterEach(() => demo.server.close());

const open = [
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/.well-known/jwks.json',
];

describe('server metadata (RFC 8414)', () => {
  it('is the same at both addresses and names only endpoints that answer', async () => {
    const [oauth, openid] = await Promise.all(
      open.slice(0, 2).map(async (path) => readAnswer(await demo.send(`${issuer}${path}`))),
    );
    expect(openid?.body).toEqual(oauth?.body);
    expect(oauth?.body).toMatchObject({
      issuer,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    });
    for (const [key, value] of Object.entries(oauth?.body ?? {})) {
      if (!key.endsWith('_endpoint') && key !== 'jwks_uri') continue;
      expect((await demo.send(String(value))).status, key).not.toBe(404);
    }
  });

  it('publishes only the public half of the key', async () => {
    const { body } = await readAnswer(await demo.send(`${issuer}/.well-known/jwks.json`));
    expect(body.keys).toEqual([
      { kty: 'RSA', n: expect.any(String), e: 'AQAB', kid: expect.any(String), alg: 'RS256', use: 'sig' },
    ]);
  });
});

describe('other origins', () => {
  it('may read metadata and keys, register, and redeem', async () => {
    for (const path of [...open, '/register', '/token', '/revoke']) {
      const preflight = await demo.send(`${issuer}${path}`, { method: 'OPTIONS' });
      expect(preflight.status, path).toBe(204);
      expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
      const answer = await demo.send(
        `${issuer}${path}`,
        open.includes(path) ? {} : { method: 'POST', body: '' },
      );
      expect(answer.headers.get('access-control-allow-origin'), path).toBe('*');
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  it('may read no page, no introspection and no event', async () => {
    for (const path of ['/sign-in', '/authorize', '/account', '/introspect', '/events']) {
      const preflight = await demo.send(`${issuer}${path}`, { method: 'OPTIONS' });
      expect(preflight.status, path).toBe(405);
      expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('unknown paths and methods', () => {
  it('are 404 and 405 with Allow', async () => {
    expect((await demo.send(`${issuer}/nothing`)).status).toBe(404);
    expect((await demo.send(`${issuer}/constructor`)).status).toBe(404);
    const answer = await demo.send(`${issuer}/token`);
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('POST, OPTIONS');
  });
});
