import { describe, expect, test } from 'vitest';
import { type ScopeSources, scopesToAsk } from '#vault/linking/link-scopes.ts';
import { ada, begin, bob, bobsBrowser, finish, linkedServer, startLinking } from './linking-kit.ts';
import { answerTo, challenge, metadataOf, startScripted } from './scripted-provider.ts';

const nothing: ScopeSources = {
  challenged: undefined,
  published: undefined,
  configured: undefined,
  granted: [],
  needed: [],
  supported: undefined,
};

describe('the scopes that are asked for (R45)', () => {
  test.each([
    ['those of the 401 before those that are published', { challenged: ['a'], published: ['b'] }, ['a']],
    ['those that are published, without a 401 that names some', { published: ['b', 'c'] }, ['b', 'c']],
    ['the operator’s in place of the published', { published: ['b'], configured: ['d'] }, ['d']],
    ['the operator’s beside those of the 401', { challenged: ['a'], configured: ['d'] }, ['a', 'd']],
    ['none where nothing is said', {}, []],
    [
      'what was granted and needed besides',
      { challenged: ['a'], granted: ['b'], needed: ['c', 'a'] },
      ['a', 'b', 'c'],
    ],
    [
      'offline_access where it is advertised',
      { published: ['a'], supported: ['a', 'offline_access'] },
      ['a', 'offline_access'],
    ],
    ['no offline_access where it is not', { published: ['a', 'offline_access'], supported: ['a'] }, ['a']],
    [
      'no offline_access alone: it would take the place of the default',
      { supported: ['offline_access'] },
      [],
    ],
    ['nothing that is no scope', { published: ['a', 'b c', 'd"', '', 'é', 'x'.repeat(201)] }, ['a']],
  ] as const)('are %s', (_what, sources, expected) => {
    expect(scopesToAsk({ ...nothing, ...sources })).toEqual(expected);
  });

  test('are a hundred at most', () => {
    const published = Array.from({ length: 1_000 }, (_, index) => `scope:${index}`);
    expect(scopesToAsk({ ...nothing, published })).toHaveLength(100);
  });

  test('are left out where nobody named any', async () => {
    const server = startScripted();
    const page = await begin(await startLinking({ notes: linkedServer(server.mcpUrl) }));
    expect(page.searchParams.has('scope')).toBe(false);
  });
});

describe('step-up (R45)', () => {
  async function start() {
    const server = startScripted((origin) => ({
      '/mcp': challenge(
        `Bearer scope="read", resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
      ),
    }));
    return { server, kit: await startLinking({ notes: linkedServer(server.mcpUrl) }) };
  }
  const scopeOf = (page: URL) => page.searchParams.get('scope');

  test('asks for what a call lacked, with all that was granted before', async () => {
    const { server, kit } = await start();
    server.pages.set('/token', { access_token: 'a', token_type: 'bearer', scope: 'read extra' });
    const first = await begin(kit);
    expect(scopeOf(first)).toBe('read');
    await finish(kit, answerTo(first));
    expect(kit.engine.needsScopes(ada, 'notes', ['write'])).toBe(true);
    expect(scopeOf(await begin(kit))).toBe('read extra write');
  });

  test('asks for what the caller of `begin` names', async () => {
    const { kit } = await start();
    expect(scopeOf(await begin(kit, { scopes: ['admin'] }))).toBe('read admin');
  });

  test('ends after two more links: then linking again does not help', async () => {
    const { kit } = await start();
    await finish(kit, answerTo(await begin(kit)));
    for (let link = 0; link < 2; link += 1) {
      expect(kit.engine.needsScopes(ada, 'notes', ['write'])).toBe(true);
      await finish(kit, answerTo(await begin(kit)));
    }
    expect(kit.engine.needsScopes(ada, 'notes', ['write'])).toBe(false);
    expect(kit.engine.needsScopes(ada, 'notes', ['write', 'new'])).toBe(true);
    kit.clock.advance(3_600_000);
    expect(kit.engine.needsScopes(ada, 'notes', ['write'])).toBe(true);
  });

  test('does not help where the server does not say what is lacking', async () => {
    const { kit } = await start();
    expect(kit.engine.needsScopes(ada, 'notes', [])).toBe(false);
  });

  test('is each user’s own, at each server', async () => {
    const { server, kit } = await start();
    kit.servers.set('other', linkedServer(server.mcpUrl));
    kit.engine.needsScopes(ada, 'notes', ['write']);
    expect(scopeOf(await begin(kit, { owner: bob, browser: bobsBrowser }))).toBe('read');
    expect(scopeOf(await begin(kit, { server: 'other' }))).toBe('read');
  });

  test('forgets what was granted by another authorization server', async () => {
    const { server, kit } = await start();
    server.pages.set('/token', { access_token: 'a', token_type: 'bearer', scope: 'read old' });
    await finish(kit, answerTo(await begin(kit)));
    const other = startScripted();
    server.pages.set('/.well-known/oauth-protected-resource/mcp', {
      resource: server.mcpUrl,
      authorization_servers: [other.origin],
    });
    const page = await begin(kit);
    expect(page.origin).toBe(other.origin);
    expect(scopeOf(page)).toBe('read');
  });

  test('an OpenID provider is asked for consent with offline_access, without which it gives no refresh token', async () => {
    const { server, kit } = await start();
    expect((await begin(kit)).searchParams.has('prompt')).toBe(false);
    server.pages.set(
      '/.well-known/oauth-authorization-server',
      metadataOf(server.origin, { scopes_supported: ['read', 'offline_access'] }),
    );
    const page = await begin(kit);
    expect(scopeOf(page)).toBe('read offline_access');
    expect(page.searchParams.get('prompt')).toBe('consent');
  });
});
