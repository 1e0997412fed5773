import { describe, expect, test } from 'vitest';
import { discoverJwksUri, wellKnownUrls } from '#auth/discovery.ts';
import type { IssuerOptions } from '#auth/options.ts';
import { type KeyServer, makeKey, publish, sign, startKeyServer } from './key-server.ts';
import { createResourceServer, goodClaims, reasonOf } from './resource-server.ts';

const key = await makeKey('ES256', 'k');
const never = new AbortController().signal;

async function outcome(issuer: IssuerOptions): Promise<string> {
  using gateway = createResourceServer([issuer]);
  return reasonOf(await gateway.ask(await sign(key, goodClaims(issuer.url, gateway.clock))));
}

function serveKeys(server: KeyServer, path: string): void {
  server.documents.set(path, { keys: [key.jwk] });
}

describe('where metadata is looked for', () => {
  test('is inserted after the host for OAuth and OIDC, then appended for OIDC', () => {
    expect(wellKnownUrls('https://id.example/tenant')).toEqual([
      'https://id.example/.well-known/oauth-authorization-server/tenant',
      'https://id.example/.well-known/openid-configuration/tenant',
      'https://id.example/tenant/.well-known/openid-configuration',
    ]);
  });

  test.each(['https://id.example', 'https://id.example/'])('is two places for %s', (issuer) => {
    expect(wellKnownUrls(issuer)).toEqual([
      'https://id.example/.well-known/oauth-authorization-server',
      'https://id.example/.well-known/openid-configuration',
    ]);
  });

  test('loses a final slash of a path', () => {
    expect(wellKnownUrls('https://id.example/tenant/')[2]).toBe(
      'https://id.example/tenant/.well-known/openid-configuration',
    );
  });
});

describe('discovery', () => {
  test.each([0, 1, 2])('finds the keys through each of the places (%i)', async (at) => {
    await using server = startKeyServer();
    const issuer = `${server.origin}/tenant`;
    const path = new URL(wellKnownUrls(issuer)[at] ?? '').pathname;
    server.documents.set(path, { issuer, jwks_uri: `${server.origin}/elsewhere` });
    serveKeys(server, '/elsewhere');
    expect(await outcome({ url: issuer })).toBe('admitted');
  });

  test('accepts an issuer that ends in a slash, if the document and the token do too', async () => {
    await using server = startKeyServer();
    publish(server, [key], `${server.origin}/`);
    expect(await outcome({ url: `${server.origin}/` })).toBe('admitted');
  });

  test('refuses metadata whose issuer differs by a trailing slash, and says so in the log', async () => {
    await using server = startKeyServer();
    publish(server, [key], `${server.origin}/`);
    serveKeys(server, '/.well-known/jwks.json');
    using gateway = createResourceServer([{ url: server.origin }]);
    const token = await sign(key, goodClaims(server.origin, gateway.clock));
    expect(reasonOf(await gateway.ask(token))).toBe('keys_unavailable');
    expect(server.requests).not.toContain('/keys');
    expect(server.requests).not.toContain('/.well-known/jwks.json');
    const alarm = gateway.lines.find(({ event }) => event === 'auth.keys_unavailable');
    expect(alarm?.fields.error).toBe(
      `${server.origin}/.well-known/oauth-authorization-server names the issuer "${server.origin}/", not "${server.origin}"`,
    );
  });

  test('takes the second document when the first is of another issuer', async () => {
    await using server = startKeyServer();
    publish(server, [key], 'https://other.example');
    const metadata = { issuer: server.origin, jwks_uri: `${server.origin}/keys` };
    server.documents.set('/.well-known/openid-configuration', metadata);
    expect(await outcome({ url: server.origin })).toBe('admitted');
  });

  test('looks at <issuer>/.well-known/jwks.json without any document', async () => {
    await using server = startKeyServer();
    serveKeys(server, '/tenant/.well-known/jwks.json');
    expect(await outcome({ url: `${server.origin}/tenant` })).toBe('admitted');
    expect(await outcome({ url: `${server.origin}/tenant/` })).toBe('admitted');
  });

  test('is skipped with a given jwksUri', async () => {
    await using server = startKeyServer();
    serveKeys(server, '/mine');
    expect(await outcome({ url: 'https://id.example', jwksUri: `${server.origin}/mine` })).toBe('admitted');
    expect(server.requests).toEqual(['/mine']);
  });

  test('runs again after the keys have moved', async () => {
    await using server = startKeyServer();
    publish(server, [key]);
    using gateway = createResourceServer([{ url: server.origin }]);
    const next = await makeKey('ES256', 'next');
    const ask = async (signer: typeof key) =>
      reasonOf(await gateway.ask(await sign(signer, goodClaims(server.origin, gateway.clock))));
    expect(await ask(key)).toBe('admitted');
    server.documents.delete('/keys');
    const metadata = { issuer: server.origin, jwks_uri: `${server.origin}/moved` };
    server.documents.set('/.well-known/oauth-authorization-server', metadata);
    server.documents.set('/moved', { keys: [next.jwk] });
    gateway.clock.advance(5_000);
    expect(await ask(next)).toBe('key_unknown');
    gateway.clock.advance(5_000);
    expect(await ask(next)).toBe('admitted');
  });

  test('never takes keys over plain http for an https issuer', async () => {
    const served = async (url: string) => ({
      ok: true as const,
      value: url.includes('openid')
        ? { issuer: 'https://id.example', jwks_uri: 'https://id.example/good' }
        : { issuer: 'https://id.example', jwks_uri: 'http://id.example/keys' },
    });
    expect(await discoverJwksUri('https://id.example', served, never)).toEqual({
      ok: true,
      value: 'https://id.example/good',
    });
  });
});
