import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PersonalCatalog } from '#backends/backend.ts';
import type { Log } from '#kernel/log.ts';
import { silentLog } from '#kernel/log.ts';
import type { Principal } from '#kernel/principal.ts';
import { rpcErrors } from '#wire/rpc-errors.ts';
import { createMovingClock } from '../support/moving-clock.ts';
import {
  createRawPeer,
  error,
  legacy,
  modern,
  type PeerAnswering,
  type PeerRequest,
  result,
  withoutStream,
} from './raw-peer.ts';
import { accounts, ada, bob, connect, context, tool, until, user } from './setup.ts';

const never = new AbortController().signal;
const inputSchema = { type: 'object' };
const toolOf = (name: string, more = {}) => ({ name, inputSchema, ...more });

/** Serves lists of the modern era, each as the test says. */
function listing(lists: Readonly<Record<string, (request: PeerRequest) => object>>): PeerAnswering {
  const serve = modern((request) => result(request, { content: [] }), {
    tools: {},
    prompts: {},
    resources: {},
  });
  return (request) => {
    const list = lists[request.method];
    if (list !== undefined) return result(request, { resultType: 'complete', ttlMs: 0, ...list(request) });
    return request.method.endsWith('/list')
      ? error(request, rpcErrors.methodNotFound, 'no', 404)
      : serve(request);
  };
}
const tools = (names: readonly string[], cacheScope = 'private') => ({
  'tools/list': () => ({ tools: names.map((name) => toolOf(name)), cacheScope }),
});

type Backend = ReturnType<typeof connect>['backend'];
async function shared(backend: Backend, etag?: string) {
  const found = await backend.discover(etag, never);
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
}
async function personal(backend: Backend, principal: Principal): Promise<PersonalCatalog> {
  if (backend.personal === undefined) throw new Error('no personal lists');
  return backend.personal.refresh(principal, never);
}
function names(catalog: PersonalCatalog | Awaited<ReturnType<typeof shared>>): readonly string[] | string {
  return 'catalog' in catalog ? catalog.catalog.tools.map(({ name }) => name) : catalog.kind;
}

describe('lists that everyone shares (R44)', () => {
  test.each(['none', 'static'] as const)(
    'are those of a server without accounts (%s), whatever it says about caching',
    async (mode) => {
      await using peer = createRawPeer(listing(tools(['a', 'b'])));
      await using connected = connect(peer.url, { mode });
      expect(connected.backend.personal).toBeUndefined();
      const first = await shared(connected.backend);
      expect(names(first)).toEqual(['a', 'b']);
      if (first.kind !== 'catalog') throw new Error('unchanged');
      expect(await shared(connected.backend, first.etag)).toEqual({ kind: 'unchanged' });
      peer.answer(listing(tools(['a'])));
      expect(names(await shared(connected.backend, first.etag))).toEqual(['a']);
    },
  );

  test('are learned from a user’s own, where the server marks them public, and told', async () => {
    await using peer = createRawPeer(listing(tools(['a'], 'public')));
    await using connected = connect(peer.url);
    expect(names(await shared(connected.backend))).toEqual([]);
    expect(await shared(connected.backend, 'from before the start')).toEqual({ kind: 'unchanged' });
    expect(await personal(connected.backend, ada)).toEqual({ kind: 'shared' });
    expect(connected.told).toEqual(['catalog']);
    expect(names(await shared(connected.backend))).toEqual(['a']);
  });

  test('and those that are not, are kept apart list by list', async () => {
    await using peer = createRawPeer(
      listing({
        ...tools(['a'], 'public'),
        'prompts/list': () => ({ prompts: [{ name: 'mine' }], cacheScope: 'private' }),
      }),
    );
    await using connected = connect(peer.url);
    const own = await personal(connected.backend, ada);
    expect(own).toMatchObject({ kind: 'listed', catalog: { tools: [], prompts: [{ name: 'mine' }] } });
    expect(await shared(connected.backend)).toMatchObject({
      catalog: { tools: [{ name: 'a' }], prompts: [] },
    });
  });

  test('need every page to be marked', async () => {
    await using peer = createRawPeer(
      listing({
        'tools/list': ({ params: { cursor } }) =>
          cursor === undefined
            ? { tools: [toolOf('a')], nextCursor: '2', cacheScope: 'public' }
            : { tools: [toolOf('b')], cacheScope: 'private' },
      }),
    );
    await using connected = connect(peer.url);
    expect(names(await personal(connected.backend, ada))).toEqual(['a', 'b']);
    expect(names(await shared(connected.backend))).toEqual([]);
  });

  test('of a legacy server are the operator’s to declare; a modern server’s own word stands', async () => {
    const list: PeerAnswering = (request) => result(request, { tools: [toolOf('a')], cacheScope: 'public' });
    await using old = createRawPeer(legacy(withoutStream(list)));
    await using declared = connect(old.url, { list: 'shared' });
    expect(await personal(declared.backend, ada)).toEqual({ kind: 'shared' });
    expect(names(await shared(declared.backend))).toEqual(['a']);
    await using undeclared = connect(old.url);
    expect(names(await personal(undeclared.backend, ada))).toEqual(['a']);
    expect(names(await shared(undeclared.backend))).toEqual([]);
    await using current = createRawPeer(listing(tools(['b'])));
    await using insisting = connect(current.url, { list: 'shared' });
    expect(names(await personal(insisting.backend, ada))).toEqual(['b']);
    expect(names(await shared(insisting.backend))).toEqual([]);
  });

  test('come from the operator’s catalog account where there is one, and only what is public of it', async () => {
    await using peer = createRawPeer(
      listing({
        ...tools(['a'], 'public'),
        'prompts/list': () => ({ prompts: [{ name: 'of the operator' }], cacheScope: 'private' }),
      }),
    );
    const held = accounts({ operator: 'token-of-operator', ada: 'token-of-ada' });
    const { issuer, subject, key } = user('operator');
    await using connected = connect(peer.url, { catalogOwner: { issuer, subject, key } }, held);
    expect(await shared(connected.backend)).toMatchObject({
      catalog: { tools: [{ name: 'a' }], prompts: [] },
    });
    expect(
      peer.requests.every(({ headers }) => headers.get('authorization') === 'Bearer token-of-operator'),
    ).toBe(true);
  });
});

describe('a catalog account that nobody has linked', () => {
  test('leaves the lists to users, until it is', async () => {
    await using peer = createRawPeer(listing(tools(['a'], 'public')));
    const held = accounts({ ada: 'token-of-ada' });
    const { issuer, subject, key } = user('operator');
    await using connected = connect(peer.url, { catalogOwner: { issuer, subject, key } }, held);
    expect(names(await shared(connected.backend))).toEqual([]);
    expect(await personal(connected.backend, ada)).toEqual({ kind: 'shared' });
    expect(names(await shared(connected.backend))).toEqual(['a']);
    held.tokens.set('operator', 'token-of-operator');
    await shared(connected.backend);
    expect(peer.requests.at(-1)?.headers.get('authorization')).toBe('Bearer token-of-operator');
  });
});

describe('lists of one principal each (R44)', () => {
  test('are asked for with that principal’s account, and kept', async () => {
    await using peer = createRawPeer(
      listing({
        'tools/list': ({ headers }) => ({ tools: [toolOf(`${headers.get('authorization')?.slice(7)}`)] }),
      }),
    );
    await using connected = connect(peer.url);
    expect(connected.backend.personal?.current(ada)).toBeUndefined();
    const own = await personal(connected.backend, ada);
    expect(names(own)).toEqual(['token-of-ada']);
    expect(connected.backend.personal?.current(ada)).toBe(own);
    expect(connected.backend.personal?.current(bob)).toBeUndefined();
  });

  test('never hold a byte of another’s, whoever asks, links, unlinks and in whatever order', async () => {
    await using peer = createRawPeer(
      listing({
        'tools/list': ({ headers }) => ({ tools: [toolOf(`tool-${headers.get('authorization')}`)] }),
        'prompts/list': ({ headers }) => ({ prompts: [{ name: `prompt-${headers.get('authorization')}` }] }),
        'resources/list': ({ headers }) => ({
          resources: [{ name: 'r', uri: `test://${headers.get('authorization')?.slice(7)}` }],
        }),
      }),
    );
    const step = fc.record({
      who: fc.integer({ min: 0, max: 5 }),
      act: fc.constantFrom('refresh', 'current', 'link', 'unlink', 'call'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const held = accounts();
        await using connected = connect(peer.url, { maxSeats: 3 }, held);
        const seen = await Promise.all(
          steps.map(async ({ who, act }, index) => {
            const principal = user(`user-${who}-`);
            if (act === 'link') held.tokens.set(principal.subject, `secret-${who}-${index}`);
            if (act === 'unlink') held.tokens.delete(principal.subject);
            if (act === 'link' || act === 'unlink') connected.backend.linkingChanged(principal.key);
            if (act === 'call') await connected.backend.call(tool('x'), context({ principal }));
            if (act === 'refresh') return [who, await personal(connected.backend, principal)] as const;
            return [who, connected.backend.personal?.current(principal)] as const;
          }),
        );
        const common = JSON.stringify(await connected.backend.discover(undefined, never));
        expect(common).not.toContain('secret-');
        for (const [who, catalog] of seen) {
          const others = JSON.stringify(catalog ?? {}).replaceAll(`secret-${who}-`, '');
          expect(others).not.toContain('secret-');
        }
      }),
      { numRuns: 25 },
    );
  });

  test('of somebody who has not linked are one answer, and nothing is asked of the server', async () => {
    await using peer = createRawPeer(listing(tools(['a'])));
    await using connected = connect(peer.url, {}, accounts());
    expect(await personal(connected.backend, ada)).toEqual({ kind: 'unlinked' });
    expect(peer.requests).toEqual([]);
  });

  test('appear with the link and are gone with it, and both are told', async () => {
    await using peer = createRawPeer(listing(tools(['a'])));
    const held = accounts();
    await using connected = connect(peer.url, {}, held);
    await personal(connected.backend, ada);
    held.tokens.set('ada', 'token');
    connected.backend.linkingChanged(ada.key);
    expect(connected.told).toEqual([`personal ${ada.key}`]);
    expect(names(await personal(connected.backend, ada))).toEqual(['a']);
    held.tokens.delete('ada');
    connected.backend.linkingChanged(ada.key);
    expect(await personal(connected.backend, ada)).toEqual({ kind: 'unlinked' });
  });

  test('stay, marked as stale, when the grant died or the server is silent', async () => {
    await using peer = createRawPeer(listing(tools(['a'])));
    const held = accounts({ ada: 'token' });
    await using connected = connect(peer.url, {}, held);
    await personal(connected.backend, ada);
    held.tokens.delete('ada');
    expect(await personal(connected.backend, ada)).toMatchObject({
      kind: 'listed',
      isStale: true,
      catalog: { tools: [{ name: 'a' }] },
    });
    held.tokens.set('ada', 'token');
    expect(await personal(connected.backend, ada)).toMatchObject({ isStale: false });
    peer.answer(() => new Response(null, { status: 503 }));
    expect(await personal(connected.backend, ada)).toMatchObject({
      isStale: true,
      catalog: { tools: [{ name: 'a' }] },
    });
    expect(connected.told).toEqual(Array(3).fill(`personal ${ada.key}`));
  });

  test('are asked for again when they are looked at after the interval, and only a change is told', async () => {
    await using peer = createRawPeer(listing(tools(['a'])));
    const clock = createMovingClock();
    await using connected = connect(peer.url, {}, undefined, { clock });
    const own = await personal(connected.backend, ada);
    clock.advance(61_000);
    expect(connected.backend.personal?.current(ada)).toBe(own);
    await until(() => peer.of('tools/list').length === 2);
    await personal(connected.backend, ada);
    expect(connected.told).toEqual([]);
    peer.answer(listing(tools(['a', 'b'])));
    clock.advance(61_000);
    connected.backend.personal?.current(ada);
    await until(() => connected.told.length === 1);
    const now = connected.backend.personal?.current(ada);
    expect(now === undefined ? undefined : names(now)).toEqual(['a', 'b']);
  });

  test('that could not be had are asked for again soon, without anybody’s doing', async () => {
    await using peer = createRawPeer(() => new Response(null, { status: 503 }));
    const clock = createMovingClock();
    await using connected = connect(peer.url, {}, undefined, { clock });
    expect(await personal(connected.backend, ada)).toMatchObject({
      kind: 'listed',
      isStale: true,
      catalog: { tools: [] },
    });
    peer.answer(listing(tools(['a'])));
    clock.advance(5_000);
    connected.backend.personal?.current(ada);
    await until(() => connected.told.length === 1);
    expect(names(await personal(connected.backend, ada))).toEqual(['a']);
  });

  test('are asked for once, however many ask at a time', async () => {
    await using peer = createRawPeer(listing(tools(['a'])));
    await using connected = connect(peer.url);
    await Promise.all(Array.from({ length: 10 }, () => personal(connected.backend, ada)));
    expect(peer.of('tools/list')).toHaveLength(1);
  });
});

describe('what a server may list', () => {
  async function listed(lists: Parameters<typeof listing>[0], log: Log = silentLog, changes = {}) {
    await using peer = createRawPeer(listing(lists));
    await using connected = connect(peer.url, { mode: 'none', ...changes }, undefined, { log });
    const found = await connected.backend.discover(undefined, never);
    return { found, peer };
  }

  test('is read page by page; a cursor that comes again is no page', async () => {
    const { found, peer } = await listed({
      'tools/list': ({ params: { cursor } }) => ({
        tools: [toolOf(`t${cursor ?? 0}`)],
        nextCursor: cursor === '1' ? '1' : '1',
      }),
    });
    expect(found).toMatchObject({ value: { catalog: { tools: [{ name: 't0' }, { name: 't1' }] } } });
    expect(JSON.stringify(found)).toContain('too many pages');
    expect(peer.of('tools/list')).toHaveLength(2);
  });

  test('without end is cut: by number of definitions, and by bytes', async () => {
    let page = 0;
    const endless = { 'tools/list': () => ({ tools: [toolOf(`t${++page}`)], nextCursor: `${page}` }) };
    const cut = await listed(endless, silentLog, { maxDefinitions: 5 });
    expect(cut.found).toMatchObject({ value: { catalog: { tools: { length: 5 } } } });
    const large = await listed(
      {
        'tools/list': () => ({
          tools: [toolOf(`t${++page}`, { description: 'x'.repeat(10_000) })],
          nextCursor: `${page}`,
        }),
      },
      silentLog,
      { maxCatalogBytes: 50_000 },
    );
    expect(large.found).toMatchObject({ error: { reason: 'too_large' } });
  });

  test('keeps every key it came with, but its scopes are the operator’s', async () => {
    const odd = toolOf('odd', {
      scope: 'everything',
      version: '9',
      'x-unknown': { a: [1] },
      inputSchema: { type: 'object', $ref: 'https://x.example/schema' },
    });
    const { found } = await listed(
      { 'tools/list': () => ({ tools: [odd, toolOf('create_it')] }) },
      silentLog,
      {
        scopes: { default: ['read'], tools: new Map([['create_*', ['write']]]) },
      },
    );
    const { name: _name, ...wire } = odd;
    expect(found).toMatchObject({
      value: {
        catalog: {
          tools: [
            { name: 'create_it', scopes: ['write'] },
            { name: 'odd', scopes: ['read'], wire },
          ],
        },
      },
    });
  });

  test('holds no tool with an illegal x-mcp-header, and says why (R42)', async () => {
    const illegal = toolOf('illegal', {
      inputSchema: { type: 'object', properties: { a: { type: 'number', 'x-mcp-header': 'A' } } },
    });
    const { found } = await listed({ 'tools/list': () => ({ tools: [illegal, toolOf('fine')] }) });
    expect(found).toMatchObject({ value: { catalog: { tools: [{ name: 'fine' }] } } });
    expect(JSON.stringify(found)).toContain('x-mcp-header at #/properties/a is illegal');
  });

  test('makes public what it refers to, in both spellings of MCP Apps (R31)', async () => {
    const app = toolOf('app', {
      _meta: { ui: { resourceUri: 'ui://page', csp: 1 }, 'ui/resourceUri': 'ui://page', other: 2 },
    });
    const { found } = await listed({ 'tools/list': () => ({ tools: [app] }) });
    expect(found).toMatchObject({
      value: {
        catalog: {
          tools: [
            {
              wire: {
                _meta: {
                  ui: { resourceUri: 'ui://srv/page', csp: 1 },
                  'ui/resourceUri': 'ui://srv/page',
                  other: 2,
                },
              },
            },
          ],
        },
      },
    });
  });

  test('keeps the last good prompts where only they fail', async () => {
    const prompts = { 'prompts/list': () => ({ prompts: [{ name: 'p' }] }) };
    await using peer = createRawPeer(listing({ ...tools(['a']), ...prompts }));
    await using connected = connect(peer.url, { mode: 'none' });
    await shared(connected.backend);
    const serve = listing(tools(['a', 'b']));
    peer.answer((request) =>
      request.method === 'prompts/list' ? new Response(null, { status: 500 }) : serve(request),
    );
    expect(await shared(connected.backend)).toMatchObject({
      catalog: { tools: [{ name: 'a' }, { name: 'b' }], prompts: [{ name: 'p' }] },
      problems: [expect.stringContaining('prompts/list (failed)')],
    });
  });
});

test('a server that finds our headers wrong is asked for its tools once, and called again (R41)', async () => {
  const properties = { region: { type: 'string', 'x-mcp-header': 'Region' } };
  const serve = listing({
    'tools/list': () => ({ tools: [toolOf('query', { inputSchema: { type: 'object', properties } })] }),
  });
  await using peer = createRawPeer((request) => {
    const isBare = request.method === 'tools/call' && !request.headers.has('mcp-param-region');
    return isBare
      ? error(request, rpcErrors.headerMismatch, 'Mcp-Param-Region is required', 400)
      : serve(request);
  });
  await using connected = connect(peer.url);
  const { outcome } = await connected.backend.call(tool('query', { region: 'eu' }), context());
  expect(outcome.ok).toBe(true);
  expect(peer.of('tools/call').map(({ headers }) => headers.get('mcp-param-region'))).toEqual([null, 'eu']);
  expect(peer.of('tools/list')).toHaveLength(1);
});
