import { describe, expect, test } from 'vitest';
import { Secret } from '#kernel/secret.ts';
import {
  ada,
  adasBrowser,
  begin,
  finish,
  granted,
  linkedServer,
  refusalToBegin,
  refusedCallback,
  startLinking,
} from './linking-kit.ts';
import { formOf } from './recorder.ts';
import { type Answer, answerTo, metadataOf, registered, startScripted } from './scripted-provider.ts';

const good = {
  access_token: 'access-1',
  token_type: 'Bearer',
  expires_in: 3_600,
  refresh_token: 'refresh-1',
};
const error = (code: string, status = 400) =>
  Response.json({ error: code, error_description: 'x' }, { status });

async function start(pages: Readonly<Record<string, Answer>> = {}, timeoutMs = 5_000) {
  const server = startScripted(() => pages);
  const kit = await startLinking({ notes: linkedServer(server.mcpUrl) }, { timeoutMs });
  return { server, kit };
}

describe('the answer to a code', () => {
  test.each([
    ['a page', '<!doctype html>', 'token_invalid'],
    ['a list', [good], 'token_invalid'],
    ['nothing', {}, 'token_invalid'],
    ['no type', { access_token: 'a' }, 'token_invalid'],
    ['an access token that is a number', { ...good, access_token: 7 }, 'token_invalid'],
    ['an empty access token', { ...good, access_token: '' }, 'token_invalid'],
    ['an access token that ends a header', { ...good, access_token: 'a\r\nX-Admin: 1' }, 'token_invalid'],
    ['an access token of 20 KB', { ...good, access_token: 'a'.repeat(20_000) }, 'token_invalid'],
    ['a refresh token that is an object', { ...good, refresh_token: {} }, 'token_invalid'],
    ['a lifetime that is no number', { ...good, expires_in: 'soon' }, 'token_invalid'],
    ['a token bound to a key', { ...good, token_type: 'DPoP' }, 'token_invalid'],
    ['a MAC token', { ...good, token_type: 'mac' }, 'token_invalid'],
    ['300 KB', { ...good, padding: 'x'.repeat(300_000) }, 'token_invalid'],
    ['an error', () => error('invalid_target'), 'provider_refused'],
    ['an error with the status of a success', () => error('bad_verification_code', 200), 'provider_refused'],
    ['a broken server', () => new Response('oops', { status: 500 }), 'unreachable'],
    ['too many requests', () => new Response('', { status: 429 }), 'unreachable'],
    ['no page at all', () => new Response('no', { status: 404 }), 'token_invalid'],
    ['deep nesting', `${'['.repeat(50_000)}`, 'token_invalid'],
  ] as const)('that is %s links nothing', async (_what, answer, reason) => {
    const { kit } = await start({ '/token': answer });
    expect(await refusedCallback(kit, answerTo(await begin(kit)))).toBe(reason);
    expect(await kit.grants.list(ada)).toEqual([]);
  });

  test('that never comes is given up', async () => {
    const { kit } = await start({ '/token': () => new Promise<Response>(() => {}) }, 300);
    expect(await refusedCallback(kit, answerTo(await begin(kit)))).toBe('unreachable');
  });

  test('names the provider’s own error, and nothing else of it', async () => {
    const { kit } = await start({ '/token': () => error('invalid_target') });
    const url = answerTo(await begin(kit)).href;
    const refused = await kit.engine.callback({ owner: ada, server: 'notes', browser: adasBrowser, url });
    expect(refused).toMatchObject({
      error: { code: 'invalid_target', message: 'The provider refused. (invalid_target)' },
    });
    const other = await start({ '/token': () => error('<script>alert(1)</script>') });
    const second = answerTo(await begin(other.kit)).href;
    const input = { owner: ada, server: 'notes', browser: adasBrowser, url: second };
    expect(JSON.stringify(await other.kit.engine.callback(input))).not.toContain('script');
  });

  test('may leave out scopes, lifetime and refresh token', async () => {
    const { kit } = await start({ '/token': { access_token: 'a', token_type: 'bearer' } });
    const grant = await finish(kit, answerTo(await begin(kit, { scopes: ['read'] })));
    expect(grant).toMatchObject({
      scopes: ['read'],
      expiresAt: undefined,
      refreshToken: undefined,
      account: undefined,
    });
  });

  test.each([
    ['access_denied', 'denied'],
    ['invalid_scope', 'provider_refused'],
  ])('%s on the way back is told as it is', async (code, reason) => {
    const { server, kit } = await start();
    const page = await begin(kit);
    const url = new URL(answerTo(page, { error: code }));
    url.searchParams.delete('code');
    expect(await refusedCallback(kit, url)).toBe(reason);
    expect(server.to('/token')).toEqual([]);
  });

  test('without a code, or with a token in the address, is none', async () => {
    const { server, kit } = await start();
    const without = answerTo(await begin(kit));
    without.searchParams.delete('code');
    expect(await refusedCallback(kit, without)).toMatch(/answer_invalid|token_invalid/);
    expect(await refusedCallback(kit, answerTo(await begin(kit), { id_token: 'x.y.z' }))).toBe(
      'answer_invalid',
    );
    expect(server.to('/token')).toEqual([]);
  });
});

describe('an account’s name', () => {
  function idToken(claims: object): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'RS256' })}.${part(claims)}.${Buffer.from('signature').toString('base64url')}`;
  }
  async function nameFor(claims: (issuer: string) => object): Promise<string | undefined> {
    const server = startScripted((origin) => ({ '/token': { ...good, id_token: idToken(claims(origin)) } }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    return (await finish(kit, answerTo(await begin(kit)))).account;
  }
  const usual = (iss: string) => {
    const now = Math.floor(Date.now() / 1_000);
    return { iss, aud: 'registered', sub: 'u1', iat: now, exp: now + 60 };
  };

  test('is the best that its ID token tells', async () => {
    expect(await nameFor((iss) => ({ ...usual(iss), email: 'ada@x.example', name: 'Ada' }))).toBe(
      'ada@x.example',
    );
    expect(await nameFor((iss) => ({ ...usual(iss), name: 'Ada' }))).toBe('Ada');
    expect(await nameFor(usual)).toBe('u1');
  });

  test.each([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another client', { aud: 'somebody-else' }],
    ['the past', { exp: 1 }],
  ])('is not read from an ID token of %s, which costs nobody the link', async (_what, changes) => {
    expect(await nameFor((iss) => ({ ...usual(iss), email: 'ada@x.example', ...changes }))).toBeUndefined();
  });

  test('is short, and of one line', async () => {
    const name = await nameFor((iss) => ({ ...usual(iss), email: `a\u202e\n<b>${'x'.repeat(1_000)}` }));
    expect(name).toHaveLength(200);
    expect(name?.startsWith('a <b>x')).toBe(true);
  });

  test('is asked of userinfo where `openid` was granted, and only there', async () => {
    const server = startScripted((origin) => ({
      '/.well-known/oauth-authorization-server': metadataOf(origin, {
        userinfo_endpoint: `${origin}/userinfo`,
      }),
      '/userinfo': { sub: 'u1', preferred_username: 'ada' },
      '/token': { ...good, scope: 'read' },
    }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    expect((await finish(kit, answerTo(await begin(kit)))).account).toBeUndefined();
    server.pages.set('/token', { ...good, scope: 'openid read' });
    expect((await finish(kit, answerTo(await begin(kit)))).account).toBe('ada');
    server.pages.set('/userinfo', '<!doctype html>');
    expect((await finish(kit, answerTo(await begin(kit)))).account).toBeUndefined();
  });
});

describe('a registration (RFC 7591)', () => {
  test.each([
    ['no client id', registered({ client_id: undefined })],
    ['an empty client id', registered({ client_id: '' })],
    ['a client id that ends a header', registered({ client_id: 'a\r\nb' })],
    ['a client id of 3 KB', registered({ client_id: 'a'.repeat(3_000) })],
    [
      'a secret that is no text',
      registered({ client_secret: ['x'], token_endpoint_auth_method: 'client_secret_post' }),
    ],
    ['a method that needs a secret, without one', registered({ client_secret: undefined })],
    ['a secret with a line break', registered({ client_secret: 'a\nb' })],
    ['another redirect URI', registered({ redirect_uris: ['https://evil.example/cb'] })],
    [
      'a way to authenticate that we do not know',
      registered({ token_endpoint_auth_method: 'private_key_jwt' }),
    ],
    ['a page', '<!doctype html>'],
    ['300 KB', registered({ padding: 'x'.repeat(300_000) })],
    ['a refusal', () => error('invalid_redirect_uri')],
    ['a redirect', () => new Response(null, { status: 307, headers: { location: '/elsewhere' } })],
  ] as const)('with %s is refused', async (_what, answer) => {
    const { kit } = await start({ '/register': answer });
    expect(await refusalToBegin(kit)).toBe('registration_refused');
    expect(await kit.store.all('SELECT * FROM link_clients')).toEqual([]);
  });

  test.each([
    ['200 in place of 201', () => Response.json({ client_id: 'c', client_secret: 's' })],
    ['no time at which the secret expires', registered({ client_secret_expires_at: undefined })],
    ['one that never does', registered({ client_secret_expires_at: 0 })],
  ] as const)('with %s is taken', async (_what, answer) => {
    const { kit } = await start({ '/register': answer });
    await finish(kit, answerTo(await begin(kit)));
  });

  test('of a public client is taken for one, whatever was asked for', async () => {
    const answer = () => Response.json({ client_id: 'public' }, { status: 201 });
    const { server, kit } = await start({ '/register': answer });
    await finish(kit, answerTo(await begin(kit)));
    expect(formOf(server.to('/token')[0]).get('client_id')).toBe('public');
    expect(server.to('/token')[0]?.headers.has('authorization')).toBe(false);
  });

  test('is tried without a secret where one with a secret is refused', async () => {
    const picky = (_request: Request, body: string) => {
      const asked = JSON.parse(body).token_endpoint_auth_method;
      return asked === 'none'
        ? Response.json({ client_id: 'public' }, { status: 201 })
        : error('invalid_client_metadata');
    };
    const { server, kit } = await start({ '/register': picky });
    await finish(kit, answerTo(await begin(kit)));
    expect(server.to('/register')).toHaveLength(2);
  });

  test('is sealed in the store, and made again when its secret has expired', async () => {
    const { server, kit } = await start();
    const inAnHour = Math.floor(kit.clock.now() / 1_000) + 3_600;
    server.pages.set('/register', registered({ client_secret_expires_at: inAnHour }));
    await begin(kit);
    await begin(kit);
    expect(server.to('/register')).toHaveLength(1);
    expect(JSON.stringify(await kit.store.all('SELECT * FROM link_clients'))).not.toContain('its-secret');
    kit.clock.advance(3_601_000);
    await begin(kit);
    expect(server.to('/register')).toHaveLength(2);
  });

  test('that the server has lost is made again', async () => {
    const { server, kit } = await start();
    server.pages.set('/token', () => error('invalid_client', 401));
    expect(await refusedCallback(kit, answerTo(await begin(kit)))).toBe('provider_refused');
    server.pages.set('/token', good);
    const grant = await finish(kit, answerTo(await begin(kit)));
    expect(server.to('/register')).toHaveLength(2);
    server.pages.set('/token', () => error('invalid_client', 401));
    expect(await kit.engine.refresh('notes', grant)).toEqual({ ok: false, error: 'invalid_grant' });
    await begin(kit);
    expect(server.to('/register')).toHaveLength(3);
  });

  test('moved to another server’s row opens for nobody', async () => {
    const { server, kit } = await start();
    kit.servers.set('other', linkedServer(server.mcpUrl));
    await begin(kit);
    await kit.store.run(
      "UPDATE link_clients SET server = 'other', redirect_uri = replace(redirect_uri, 'notes', 'other')",
    );
    await begin(kit, { server: 'other' });
    expect(server.to('/register')).toHaveLength(2);
  });
});

describe('credentials stay with the authorization server that they are for (R45)', () => {
  async function moved(changes: Parameters<typeof linkedServer>[1]) {
    const server = startScripted();
    const evil = startScripted();
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl, changes) });
    const first = await begin(kit);
    const grant = await finish(kit, answerTo(first));
    server.pages.set('/.well-known/oauth-protected-resource/mcp', {
      resource: server.mcpUrl,
      authorization_servers: [evil.origin],
    });
    return { server, evil, kit, first, grant };
  }

  test('a registered client is registered anew where the server names another', async () => {
    const { server, evil, kit, first, grant } = await moved({});
    evil.pages.set('/register', registered({ client_id: 'at-the-new-one' }));
    const page = await begin(kit);
    expect([first.searchParams.get('client_id'), page.searchParams.get('client_id')]).toEqual([
      'registered',
      'at-the-new-one',
    ]);
    // The old grant still belongs to the old one.
    granted(await kit.engine.refresh('notes', grant));
    expect(server.to('/token')).toHaveLength(2);
    expect(evil.to('/token')).toEqual([]);
  });

  test('a configured secret is not sent to another, unless the operator names it', async () => {
    const client = { id: 'ours', secret: new Secret('configured-secret') };
    const { server, evil, kit } = await moved({ client });
    expect(await refusalToBegin(kit)).toBe('issuer_changed');
    expect(evil.to('/token')).toEqual([]);
    kit.servers.set('notes', linkedServer(server.mcpUrl, { client, issuer: evil.origin }));
    expect((await begin(kit)).origin).toBe(evil.origin);
  });

  test('a grant of an issuer that the operator replaced must be linked again', async () => {
    const { server, evil, kit, grant } = await moved({});
    kit.servers.set('notes', linkedServer(server.mcpUrl, { issuer: evil.origin }));
    expect(await kit.engine.refresh('notes', grant)).toEqual({ ok: false, error: 'invalid_grant' });
    expect(evil.requests).toEqual([]);
  });
});

describe('the client’s way to authenticate', () => {
  test.each([
    ['client_secret_basic', ['client_secret_basic'], 'Basic b3VyczphLWI=', null],
    ['client_secret_basic, where nothing is said', undefined, 'Basic b3VyczphLWI=', null],
    ['client_secret_post', ['client_secret_post', 'none'], null, 'a-b'],
  ] as const)('with a secret is %s', async (_what, supported, header, inBody) => {
    const server = startScripted((origin) => ({
      '/.well-known/oauth-authorization-server': metadataOf(origin, {
        token_endpoint_auth_methods_supported: supported,
      }),
    }));
    const client = { id: 'ours', secret: new Secret('a-b') };
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl, { client }) });
    await finish(kit, answerTo(await begin(kit)));
    const [request] = server.to('/token');
    expect(request?.headers.get('authorization') ?? null).toBe(header);
    expect(formOf(request).get('client_secret')).toBe(inBody);
  });

  test.each([
    [['none'], 'none'],
    [['client_secret_post'], 'client_secret_post'],
    [undefined, 'client_secret_basic'],
    [['private_key_jwt', 'client_secret_basic', 'none'], 'client_secret_basic'],
  ] as const)('is registered out of %j as %s', async (supported, method) => {
    const server = startScripted((origin) => ({
      '/.well-known/oauth-authorization-server': metadataOf(origin, {
        token_endpoint_auth_methods_supported: supported,
      }),
    }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    await finish(kit, answerTo(await begin(kit)));
    expect(JSON.parse(server.to('/register')[0]?.body ?? '').token_endpoint_auth_method).toBe(method);
    const secret = formOf(server.to('/token')[0]).has('client_secret');
    expect(secret).toBe(method === 'client_secret_post');
  });

  test('that we do not have is said before anybody is sent anywhere', async () => {
    const server = startScripted((origin) => ({
      '/.well-known/oauth-authorization-server': metadataOf(origin, {
        token_endpoint_auth_methods_supported: ['private_key_jwt'],
      }),
    }));
    expect(await refusalToBegin(await startLinking({ notes: linkedServer(server.mcpUrl) }))).toBe(
      'no_registration',
    );
  });
});

describe('refresh', () => {
  async function linked(timeoutMs?: number) {
    const world = await start({}, timeoutMs);
    return { ...world, grant: await finish(world.kit, answerTo(await begin(world.kit))) };
  }

  test('keeps the refresh token, the scopes and the account where the answer names none', async () => {
    const { server, kit, grant } = await linked();
    server.pages.set('/token', { access_token: 'access-2', token_type: 'bearer' });
    const fresh = granted(await kit.engine.refresh('notes', grant));
    expect(fresh.accessToken.reveal()).toBe('access-2');
    expect(fresh.refreshToken?.reveal()).toBe('refresh-1');
    expect(fresh).toMatchObject({ scopes: grant.scopes, account: grant.account, expiresAt: undefined });
    expect(Object.fromEntries(formOf(server.to('/token')[1]))).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: 'refresh-1',
      resource: server.mcpUrl,
    });
  });

  test.each(['invalid_grant', 'bad_refresh_token'])('%s asks to link again', async (code) => {
    const { server, kit, grant } = await linked();
    server.pages.set('/token', () => error(code, code === 'invalid_grant' ? 400 : 200));
    expect(await kit.engine.refresh('notes', grant)).toEqual({ ok: false, error: 'invalid_grant' });
  });

  test.each([
    ['a broken server', () => new Response('', { status: 503 })],
    ['too many requests', () => new Response('', { status: 429 })],
    ['another error', () => error('temporarily_unavailable')],
    ['a page', '<!doctype html>'],
    ['silence', () => new Promise<Response>(() => {})],
  ] as const)('keeps the grant through %s', async (_what, answer) => {
    const { server, kit, grant } = await linked(300);
    server.pages.set('/token', answer);
    expect(await kit.engine.refresh('notes', grant)).toEqual({ ok: false, error: 'unavailable' });
  });

  test('keeps the grant while the metadata is away, and reads it every ten minutes', async () => {
    const { server, kit, grant } = await linked();
    await kit.engine.refresh('notes', grant);
    await kit.engine.refresh('notes', grant);
    const place = '/.well-known/oauth-authorization-server';
    expect(server.to(place)).toHaveLength(2);
    server.pages.set(place, new Response(null, { status: 503 }));
    granted(await kit.engine.refresh('notes', grant));
    kit.clock.advance(10 * 60_000);
    expect(await kit.engine.refresh('notes', grant)).toEqual({ ok: false, error: 'unavailable' });
  });

  test('keeps the grant where the operator’s own client is refused: that can be mended', async () => {
    const server = startScripted();
    const client = { id: 'ours', secret: new Secret('wrong') };
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl, { client }) });
    const grant = await finish(kit, answerTo(await begin(kit)));
    server.pages.set('/token', () => error('invalid_client', 401));
    expect(await kit.engine.refresh('notes', grant)).toEqual({ ok: false, error: 'unavailable' });
  });

  test('without a refresh token asks to link again', async () => {
    const { kit, grant } = await linked();
    const without = { ...grant, refreshToken: undefined };
    expect(await kit.engine.refresh('notes', without)).toEqual({ ok: false, error: 'invalid_grant' });
  });

  test('of a server that is configured no more keeps the grant', async () => {
    const { kit, grant } = await linked();
    kit.servers.delete('notes');
    expect(await kit.engine.refresh('notes', grant)).toEqual({ ok: false, error: 'unavailable' });
  });

  test('sends no `resource` where the operator says so, nor does anything else', async () => {
    const server = startScripted();
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl, { sendsResource: false }) });
    const page = await begin(kit);
    const grant = await finish(kit, answerTo(page));
    granted(await kit.engine.refresh('notes', grant));
    expect(page.searchParams.has('resource')).toBe(false);
    expect(server.to('/token').map((request) => formOf(request).has('resource'))).toEqual([false, false]);
  });
});

describe('unlinking', () => {
  test.each([
    ['has no way to revoke', { revocation_endpoint: undefined }, {}],
    ['refuses', {}, { '/revoke': () => new Response('', { status: 503 }) }],
  ] as const)('deletes though the provider %s', async (_what, changes, pages) => {
    const server = startScripted((origin) => ({
      '/.well-known/oauth-authorization-server': metadataOf(origin, changes),
      ...pages,
    }));
    const kit = await startLinking({ notes: linkedServer(server.mcpUrl) });
    await finish(kit, answerTo(await begin(kit)));
    expect(granted(await kit.engine.unlink(ada, 'notes'))).toEqual({ wasRevoked: false });
    expect(await kit.grants.list(ada)).toEqual([]);
  });

  test('revokes what a refresh brought in between', async () => {
    const { server, kit } = await start();
    const grant = await finish(kit, answerTo(await begin(kit)));
    let hasRefreshed = false;
    server.pages.set('/revoke', async () => {
      if (!hasRefreshed) {
        hasRefreshed = true;
        const stored = await kit.grants.get(ada, 'notes');
        const fresh = {
          ...grant,
          accessToken: new Secret('access-2'),
          refreshToken: new Secret('refresh-2'),
        };
        await kit.grants.replace(ada, 'notes', stored?.generation ?? 0, fresh);
      }
      return new Response();
    });
    expect(granted(await kit.engine.unlink(ada, 'notes'))).toEqual({ wasRevoked: true });
    expect(server.to('/revoke').map((request) => formOf(request).get('token'))).toEqual([
      'refresh-1',
      'access-1',
      'refresh-2',
      'access-2',
    ]);
  });
});
