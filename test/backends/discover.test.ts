import { describe, expect, test } from 'vitest';
import type { Discovery } from '#backends/backend.ts';
import type { HttpBackendOptions } from '#backends/http-backend.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { connect } from './setup.ts';

const live = () => new AbortController().signal;
const prompts = [{ name: 'p', scope: 'a' }];

async function setUp(
  options: Parameters<typeof createCapturingBackend>[0] = {},
  changes: Partial<HttpBackendOptions> = {},
) {
  const server = createCapturingBackend(options);
  const connected = connect(server.url, { pollTimeoutMs: 300, ...changes });
  const discover = async (etag?: string): Promise<Discovery> => {
    const found = await connected.backend.discover(etag, live());
    if (!found.ok) throw new Error(`${found.error.reason} ${found.error.message}`);
    return found.value;
  };
  const catalog = async (etag?: string) => {
    const found = await discover(etag);
    if (found.kind !== 'catalog') throw new Error('unchanged');
    return found;
  };
  return {
    server,
    backend: connected.backend,
    discover,
    catalog,
    async [Symbol.asyncDispose]() {
      await connected[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

describe('discover', () => {
  test('gathers the four lists', async () => {
    await using it = await setUp({
      tools: [{ name: 't', scope: 'a' }, { name: 5 }],
      prompts,
      resources: [{ uri: 'docs://a', name: 'A', scope: 'a' }],
      resourceTemplates: [{ uriTemplate: 'docs://{id}', name: 'D', scope: 'a' }],
    });
    const found = await it.catalog();
    expect(found.catalog).toMatchObject({
      tools: [{ name: 't' }],
      prompts: [{ name: 'p' }],
      resources: [{ uri: 'docs://a' }],
      resourceTemplates: [{ uriTemplate: 'docs://{id}' }],
    });
    expect(found.problems).toEqual(['tool #1: left out, it has no name']);
  });

  test.each([
    [404, 'unknown method'],
    [400, 'no'],
    [500, 'Unknown tool: list_prompts'],
    [500, 'Error: method not found'],
    [405, ''],
    [501, ''],
  ])('a backend that answers an optional list with %d %j simply has none', async (status, error) => {
    await using it = await setUp();
    it.server.answer('list_prompts', () => Response.json({ error }, { status }));
    const found = await it.catalog();
    expect(found.catalog.prompts).toEqual([]);
    expect(found.catalog.tools).toHaveLength(1);
    expect(found.problems).toEqual([]);
  });

  test.each([
    [() => Response.json({ error: 'unknown method' }, { status: 404 }), 'invalid'],
    [() => Response.json({ error: 'database down' }, { status: 500 }), 'business_error'],
    [() => new Response('<html>'), 'not_json'],
    [() => Response.json({}), 'not_json'],
    [() => new Response(null, { status: 304 }), 'failed'],
    [() => Response.json({}, { status: 204 }), 'failed'],
    [() => Bun.sleep(1_000).then(() => Response.json({ tools: [] })), 'timeout'],
    [() => Response.json({ tools: [{ name: 'x'.repeat(2_000) }] }), 'too_large'],
  ])('without list_tools there is no catalog, and never an empty one (%#)', async (answer, reason) => {
    await using it = await setUp({}, { maxCatalogBytes: 1_000 });
    it.server.answer('list_tools', answer);
    expect(await it.backend.discover(undefined, live())).toMatchObject({ ok: false, error: { reason } });
  });

  test.each([
    ['times out', () => Bun.sleep(1_000).then(() => Response.json({ prompts: [] }))],
    ['fails', () => Response.json({ error: 'database down' }, { status: 500 })],
    ['is refused', () => new Response('', { status: 401 })],
    ['answers nonsense', () => new Response('<html>')],
  ] as const)('a list_prompts that %s makes no prompt vanish, and is reported', async (_title, fault) => {
    await using it = await setUp({ prompts });
    const first = await it.catalog();
    it.server.answer('list_prompts', fault);
    const second = await it.catalog(first.etag);
    expect(second.catalog.prompts).toEqual(first.catalog.prompts);
    expect(second.problems[0]).toMatch(/^list_prompts \(\w+\): .*the last good answer is kept/);
    expect((await it.discover(second.etag)).kind).toBe('unchanged');
  });

  test('a list_prompts that fails for longer than the grace period loses its prompts', async () => {
    await using server = createCapturingBackend({ prompts });
    let time = 0;
    await using connected = connect(server.url, {}, { now: () => time, monotonic: () => time });
    const promptsAfter = async (ms: number) => {
      time += ms;
      const found = await connected.backend.discover(undefined, live());
      return found.ok && found.value.kind === 'catalog' ? found.value.catalog.prompts.length : undefined;
    };
    expect(await promptsAfter(0)).toBe(1);
    server.answer('list_prompts', () => new Response('', { status: 503 }));
    expect(await promptsAfter(14 * 60_000)).toBe(1);
    expect(await promptsAfter(2 * 60_000)).toBe(0);
  });

  test('an optional list that never worked is empty and reported, and the tools are there', async () => {
    await using it = await setUp();
    it.server.answer('list_resources', () => new Response('', { status: 503 }));
    const found = await it.catalog();
    expect(found.catalog.tools).toHaveLength(1);
    expect(found.problems[0]).toContain('nothing is shown');
  });

  test('prompts that a backend no longer has vanish', async () => {
    await using it = await setUp({ prompts });
    const first = await it.catalog();
    it.server.answer('list_prompts', () => Response.json({ error: 'unknown method' }, { status: 404 }));
    expect((await it.catalog(first.etag)).catalog.prompts).toEqual([]);
  });

  test('the same catalog is unchanged, even without ETag', async () => {
    await using it = await setUp({ prompts });
    const first = await it.catalog();
    expect((await it.discover(first.etag)).kind).toBe('unchanged');
    it.server.setTools([{ name: 'new', scope: 'a' }]);
    const changed = await it.catalog(first.etag);
    expect(changed.catalog.tools.map((tool) => tool.name)).toEqual(['new']);
    expect(changed.etag).not.toBe(first.etag);
  });

  test('each list is asked conditionally with its own ETag, and 304 stands for the last answer', async () => {
    await using it = await setUp();
    const withEtag = (etag: string, body: object) => (call: { readonly headers: Headers }) =>
      call.headers.get('if-none-match') === etag
        ? new Response(null, { status: 304 })
        : Response.json(body, { headers: { ETag: etag } });
    it.server.answer('list_tools', withEtag('"t1"', { tools: [{ name: 't', scope: 'a' }] }));
    it.server.answer('list_prompts', withEtag('W/"p1"', { prompts }));
    const first = await it.catalog();
    expect(it.server.calls.every((call) => call.headers.get('if-none-match') === null)).toBe(true);
    expect((await it.discover(first.etag)).kind).toBe('unchanged');
    expect(it.server.callsOf('list_tools')[1]?.headers.get('if-none-match')).toBe('"t1"');
    expect(it.server.callsOf('list_prompts')[1]?.headers.get('if-none-match')).toBe('W/"p1"');

    it.server.answer('list_tools', withEtag('"t2"', { tools: [{ name: 'u', scope: 'a' }] }));
    const third = await it.catalog(first.etag);
    expect(third.catalog.tools.map((tool) => tool.name)).toEqual(['u']);
    expect(third.catalog.prompts.map((prompt) => prompt.name)).toEqual(['p']);
  });

  test('whoever does not hold the last etag gets everything, unconditionally', async () => {
    await using it = await setUp();
    it.server.answer('list_tools', () => Response.json({ tools: [] }, { headers: { ETag: '"t1"' } }));
    await it.catalog();
    await it.catalog('from before a restart');
    await it.catalog();
    expect(it.server.callsOf('list_tools').every((call) => call.headers.get('if-none-match') === null)).toBe(
      true,
    );
  });

  test('an ETag that is none is not sent back', async () => {
    await using it = await setUp();
    it.server.answer('list_tools', () => Response.json({ tools: [] }, { headers: { ETag: 'unquoted' } }));
    const first = await it.catalog();
    await it.discover(first.etag);
    expect(it.server.callsOf('list_tools')[1]?.headers.get('if-none-match')).toBeNull();
  });

  test('stops with its signal', async () => {
    await using it = await setUp();
    it.server.answer('list_tools', () => Bun.sleep(1_000).then(() => Response.json({ tools: [] })));
    expect(await it.backend.discover(undefined, AbortSignal.timeout(30))).toMatchObject({
      ok: false,
      error: { reason: 'cancelled' },
    });
  });
});
