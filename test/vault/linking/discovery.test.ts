import { describe, expect, test } from 'vitest';
import { begin, finish, linkedServer, refusalToBegin, startLinking } from './linking-kit.ts';
import { answerTo, challenge, metadataOf, startScripted } from './scripted-provider.ts';

const wellKnown = '/.well-known/oauth-protected-resource';
const paths = (requests: readonly { readonly url: URL }[]) =>
  requests.map(({ url }) => url.pathname + url.search);

describe('what a server says about its protection is found (RFC 9728)', () => {
  test('where its 401 says, and nowhere else', async () => {
    const server = startScripted((origin) => ({
      '/mcp': challenge(
        `Basic realm="x", Bearer error="invalid_token", resource_metadata="${origin}/elsewhere.json"`,
      ),
      '/elsewhere.json': { resource: `${origin}/mcp`, authorization_servers: [origin] },
    }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    await begin(kit);
    expect(paths(server.requests)).toEqual([
      '/mcp',
      '/elsewhere.json',
      '/.well-known/oauth-authorization-server',
      '/register',
    ]);
  });

  test('where the 401 of an old server says, which refuses revisions that it does not know before it asks', async () => {
    const server = startScripted((origin) => ({
      '/mcp': (request: Request) =>
        request.headers.has('mcp-protocol-version')
          ? new Response('unsupported protocol version', { status: 400 })
          : challenge(`Bearer resource_metadata="${origin}/elsewhere.json"`),
      '/elsewhere.json': { resource: `${origin}/mcp`, authorization_servers: [origin] },
    }));
    await begin(await startLinking({ notes: linkedServer(server.mcpUrl) }));
    expect(paths(server.requests).slice(0, 3)).toEqual(['/mcp', '/mcp', '/elsewhere.json']);
  });

  test('without such a 401 at the inserted path, and then at the root', async () => {
    const server = startScripted((origin) => ({
      '/mcp': challenge('Bearer'),
      [`${wellKnown}/mcp`]: new Response(null, { status: 404 }),
      [wellKnown]: { resource: origin, authorization_servers: [origin] },
    }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    const page = await begin(kit);
    expect(paths(server.requests).slice(1, 3)).toEqual([`${wellKnown}/mcp`, wellKnown]);
    // Byte for byte as published: no slash is added.
    expect(page.searchParams.get('resource')).toBe(server.origin);
  });

  test('with the query of the server’s address, if it has one', async () => {
    const server = startScripted((origin) => ({
      '/mcp': challenge('Bearer'),
      [`${wellKnown}/mcp`]: { resource: `${origin}/mcp?tenant=7`, authorization_servers: [origin] },
    }));
    const kit = await startLinking({ notes: linkedServer(`${server.mcpUrl}?tenant=7`) });
    const page = await begin(kit);
    expect(paths(server.requests)[1]).toBe(`${wellKnown}/mcp?tenant=7`);
    expect(page.searchParams.get('resource')).toBe(`${server.mcpUrl}?tenant=7`);
  });

  test('with and without the slash at the end of the server’s address', async () => {
    const server = startScripted((origin) => ({
      '/mcp/': challenge('Bearer'),
      [`${wellKnown}/mcp`]: { resource: `${origin}/mcp/`, authorization_servers: [origin] },
    }));
    const page = await begin(await startLinking({ notes: linkedServer(`${server.mcpUrl}/`) }));
    expect(paths(server.requests).slice(1, 3)).toEqual([`${wellKnown}/mcp/`, `${wellKnown}/mcp`]);
    expect(page.searchParams.get('resource')).toBe(`${server.mcpUrl}/`);
  });

  test.each([
    ['another origin', (_origin: string) => 'https://evil.example/mcp'],
    ['another port', (origin: string) => `${origin.slice(0, -1)}${origin.endsWith('1') ? 2 : 1}/mcp`],
    ['another path', (origin: string) => `${origin}/other`],
    ['half a segment', (origin: string) => `${origin}/mc`],
    ['more than the server', (origin: string) => `${origin}/mcp/more`],
    ['a fragment', (origin: string) => `${origin}/mcp#x`],
    ['a user name', (origin: string) => origin.replace('//', '//user@')],
    ['no address', () => 'mcp'],
  ])('and is refused where it describes %s', async (_what, resource) => {
    const server = startScripted((origin) => ({
      [`${wellKnown}/mcp`]: { resource: resource(origin), authorization_servers: [origin] },
    }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    expect(await refusalToBegin(kit)).toBe('resource_mismatch');
    expect(server.to('/.well-known/oauth-authorization-server')).toEqual([]);
  });

  test('and pages that answer every path with HTML count as none', async () => {
    const server = startScripted(() => ({
      '/mcp': challenge('Bearer'),
      [`${wellKnown}/mcp`]: '<!doctype html><p>Welcome',
      [wellKnown]: '<!doctype html><p>Welcome',
    }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    expect((await begin(kit)).searchParams.get('resource')).toBe(server.mcpUrl);
  });

  test.each([503, 500, 502])('an outage (%d) leads to no weaker rules', async (status) => {
    const server = startScripted(() => ({ [`${wellKnown}/mcp`]: new Response(null, { status }) }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    expect(await refusalToBegin(kit)).toBe('unreachable');
  });

  test('a server that is down is said to be down', async () => {
    const server = startScripted();
    server.close();
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    expect(await refusalToBegin(kit)).toBe('unreachable');
  });
});

describe('the authorization server’s metadata is found (RFC 8414, OpenID Connect)', () => {
  const places = [
    '/.well-known/oauth-authorization-server/tenant',
    '/.well-known/openid-configuration/tenant',
    '/tenant/.well-known/openid-configuration',
  ];
  test.each(places)('at %s', async (place) => {
    const server = startScripted((origin) => ({
      [`${wellKnown}/mcp`]: { resource: `${origin}/mcp`, authorization_servers: [`${origin}/tenant`] },
      [place]: metadataOf(`${origin}/tenant`, { registration_endpoint: `${origin}/register` }),
    }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    expect((await begin(kit)).pathname).toBe('/tenant/authorize');
    const asked = paths(server.requests).filter((path) => path.includes('tenant'));
    expect(asked).toEqual(places.slice(0, places.indexOf(place) + 1));
  });

  test('at the place of OpenID Connect for an issuer without a path', async () => {
    const server = startScripted((origin) => ({
      '/.well-known/oauth-authorization-server': new Response(null, { status: 404 }),
      '/.well-known/openid-configuration': metadataOf(origin),
    }));
    await begin(await startLinking({ notes: linkedServer(server.mcpUrl) }));
  });

  test.each([
    ['another issuer', { issuer: 'https://evil.example' }, 'issuer_mismatch'],
    ['the issuer with a slash', (origin: string) => ({ issuer: `${origin}/` }), 'issuer_mismatch'],
    ['no token endpoint', { token_endpoint: undefined }, 'metadata_invalid'],
    ['no page to sign in', { authorization_endpoint: 7 }, 'metadata_invalid'],
    ['no S256', { code_challenge_methods_supported: ['plain'] }, 'without_s256'],
    ['nothing about PKCE', { code_challenge_methods_supported: undefined }, 'without_s256'],
    ['a page that is a script', { authorization_endpoint: 'javascript:alert(1)' }, 'endpoint_refused'],
    [
      'a page over http elsewhere',
      { authorization_endpoint: 'http://example.com/authorize' },
      'endpoint_refused',
    ],
    ['a page with a user name', { authorization_endpoint: 'https://a@example.com/' }, 'endpoint_refused'],
    ['a page with a fragment', { authorization_endpoint: 'https://example.com/#x' }, 'endpoint_refused'],
    ['no way to register', { registration_endpoint: undefined }, 'no_registration'],
  ])('and is refused with %s', async (_what, changes, reason) => {
    const server = startScripted((origin) => ({
      '/.well-known/oauth-authorization-server': metadataOf(
        origin,
        typeof changes === 'function' ? changes(origin) : changes,
      ),
    }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    expect(await refusalToBegin(kit)).toBe(reason);
    expect(server.to('/register')).toEqual([]);
  });

  test('and is missed where there is none', async () => {
    const server = startScripted(() => ({
      '/.well-known/oauth-authorization-server': new Response(null, { status: 404 }),
    }));
    expect(await refusalToBegin(await startLinking({ notes: linkedServer(server.mcpUrl) }))).toBe(
      'metadata_missing',
    );
  });

  test('a provider that says nothing about S256 is taken where the operator says so, and is sent it all the same', async () => {
    const server = startScripted((origin) => ({
      '/.well-known/oauth-authorization-server': metadataOf(origin, {
        code_challenge_methods_supported: undefined,
      }),
    }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl, { allowWithoutS256: true }) });
    const page = await begin(kit);
    expect(page.searchParams.get('code_challenge_method')).toBe('S256');
    await finish(kit, answerTo(page));
    expect(new URLSearchParams(server.to('/token')[0]?.body).get('code_verifier')).toMatch(
      /^[A-Za-z0-9_-]{43}$/,
    );
  });

  test('the operator’s issuer takes the place of the one that the server names', async () => {
    const other = startScripted();
    const server = startScripted();
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl, { issuer: other.origin }) });
    expect((await begin(kit)).origin).toBe(other.origin);
    expect(server.to('/register')).toEqual([]);
  });
});

describe('a server of 2025-03-26, which says nothing about its protection', () => {
  const silent = { '/mcp': challenge('Bearer'), [`${wellKnown}/mcp`]: new Response(null, { status: 404 }) };

  test('has its own origin for an authorization server', async () => {
    const server = startScripted(() => silent);
    const page = await begin(await startLinking({ notes: linkedServer(server.mcpUrl) }));
    expect(page.href.startsWith(`${server.origin}/authorize?`)).toBe(true);
    expect(page.searchParams.get('resource')).toBe(server.mcpUrl);
  });

  const alone = { ...silent, '/.well-known/oauth-authorization-server': new Response(null, { status: 404 }) };
  test('and the usual endpoints, where the operator takes it without a word about S256', async () => {
    const server = startScripted(() => alone);
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl, { allowWithoutS256: true }) });
    const grant = await finish(kit, answerTo(await begin(kit)));
    expect(grant.issuer).toBe(server.origin);
    expect(await kit.engine.refresh('notes', grant)).toMatchObject({ ok: true });
  });

  test('and is refused otherwise', async () => {
    const server = startScripted(() => alone);
    expect(await refusalToBegin(await startLinking({ notes: linkedServer(server.mcpUrl) }))).toBe(
      'without_s256',
    );
  });
});

describe('unknown servers', () => {
  test('are not linked', async () => {
    expect(await refusalToBegin(await startLinking({}))).toBe('unknown_server');
  });

  test('have the same document as others: it does not tell which servers there are', async () => {
    const { engine, servers } = await startLinking({});
    const unknown = engine.clientDocument('notes');
    servers.set('notes', linkedServer('https://mcp.notes.example/mcp'));
    expect(engine.clientDocument('notes')).toEqual(unknown);
  });
});
