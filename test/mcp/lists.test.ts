import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type McpCaller, namesIn } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

const builtins = [
  'list_cortex_resources',
  'list_cortex_tickets',
  'read_cortex_resource',
  'report_missing_capability',
  'whoami',
];
const verbatim = {
  name: 'odd',
  scope: ['mcp:test', 'mcp:other'],
  title: 'Odd',
  description: 'An odd tool.',
  inputSchema: {
    type: 'object',
    $ref: 'https://attacker.example/schema',
    unknown: { keyword: [1, 2.5, null] },
  },
  outputSchema: { type: 'array', items: { $ref: 'file:///etc/passwd' } },
  annotations: { destructiveHint: true, 'x-own': 1 },
  icons: [{ src: 'data:image/png;base64,AA==' }],
  _meta: { 'com.example/key': { deep: true } },
};
let running: RunningGateway;
let ada: McpCaller;

beforeAll(async () => {
  running = await runGateway({
    backends: {
      many: {
        tools: Array.from({ length: 1_500 }, (_, index) => ({
          name: `t${String(index).padStart(4, '0')}`,
          scope: 'mcp:many',
        })),
        resources: Array.from({ length: 1_100 }, (_, index) => ({
          uri: `many://${String(index).padStart(4, '0')}`,
          name: 'n',
          scope: 'mcp:many',
        })),
      },
      notes: {
        tools: [
          { name: 'b', scope: 'mcp:test' },
          { name: 'a', scope: 'mcp:test' },
          { name: 'none' },
          verbatim,
        ],
        prompts: [{ name: 'p', scope: 'mcp:test', arguments: [{ name: 'x' }] }],
        resources: [{ uri: 'note://1', name: 'One', scope: 'mcp:test', mimeType: 'text/plain' }],
        resourceTemplates: [{ uriTemplate: 'note://{id}', name: 'Note', scope: 'mcp:test' }],
      },
    },
  });
  ada = await running.caller({ scope: 'mcp:test mcp:other' });
});
afterAll(() => running.close());

describe('lists', () => {
  test('come in code-unit order, hold what the scopes open, and are the same for every connection (R16)', async () => {
    const expected = [
      'list_cortex_resources',
      'list_cortex_tickets',
      'notes_a',
      'notes_b',
      'notes_get_help',
      'notes_odd',
      'read_cortex_resource',
      'report_missing_capability',
      'whoami',
    ];
    const first = await ada.modern('tools/list', {}, { id: 1 });
    expect(namesIn(first, 'tools')).toEqual(expected);
    const again = await running.caller({
      scope: 'mcp:other mcp:test',
      sub: 'someone-else',
      client_id: 'another',
    });
    expect((await again.modern('tools/list', {}, { id: 1 })).text).toBe(first.text);
    const session = await ada.initialize();
    expect(namesIn(await session.request('tools/list'), 'tools')).toEqual(expected);
  });

  test('schemas, annotations, icons and _meta come as the backend sent them, and no $ref is fetched (R20)', async () => {
    const { result } = await ada.modern('tools/list');
    const { name: _name, scope: _scope, ...wire } = verbatim;
    expect(result.tools).toContainEqual({ ...wire, name: 'notes_odd' });
  });

  test('an output schema that is no object’s is left out for the older protocol (R21)', async () => {
    const session = await ada.initialize();
    const { result } = await session.request('tools/list');
    const { name: _name, scope: _scope, outputSchema: _output, ...wire } = verbatim;
    expect(result.tools).toContainEqual({ ...wire, name: 'notes_odd' });
  });

  test('prompts, resources and templates are listed under their own keys', async () => {
    const prompts = await ada.modern('prompts/list');
    expect(prompts.result.prompts).toEqual([{ name: 'notes_p', arguments: [{ name: 'x' }] }]);
    const resources = await ada.modern('resources/list');
    expect(namesIn(resources, 'resources', 'uri')).toEqual(['cortex://architecture', 'note://1']);
    expect(resources.result.resources).toContainEqual({
      uri: 'note://1',
      name: 'One',
      mimeType: 'text/plain',
    });
    const templates = await ada.modern('resources/templates/list');
    expect(templates.result.resourceTemplates).toEqual([{ uriTemplate: 'note://{id}', name: 'Note' }]);
  });

  test('every page of the modern era is private and fresh for a poll interval; legacy answers say nothing of it (R17)', async () => {
    const many = await running.caller({ scope: 'mcp:many' });
    const first = await many.modern('tools/list');
    const second = await many.modern('tools/list', { cursor: first.result.nextCursor ?? '' });
    for (const { result } of [
      first,
      second,
      await ada.modern('resources/list'),
      await ada.modern('prompts/list'),
    ]) {
      expect(result).toMatchObject({ cacheScope: 'private', ttlMs: 60_000 });
    }
    const session = await ada.initialize();
    const { result } = await session.request('tools/list');
    expect(Object.keys(result)).toEqual(['tools']);
  });
});

describe('cursors (R18)', () => {
  test.each(['modern', 'legacy'] as const)(
    '1,500 tools and 1,100 resources come whole, once each, in pages (%s)',
    async (era) => {
      const many = await running.caller({ scope: 'mcp:many' });
      const session = await many.initialize();
      const ask = (method: string, params: { cursor?: string }) =>
        era === 'modern' ? many.modern(method, params) : session.request(method, params);
      for (const [method, list, key, count] of [
        ['tools/list', 'tools', 'name', 1_500 + builtins.length + 1],
        ['resources/list', 'resources', 'uri', 1_101],
      ] as const) {
        const seen: string[] = [];
        let pages = 0;
        for (let cursor: unknown; pages === 0 || cursor !== undefined; pages++) {
          const answer = await ask(method, typeof cursor === 'string' ? { cursor } : {});
          seen.push(...namesIn(answer, list, key));
          cursor = answer.result.nextCursor;
        }
        expect(pages).toBe(2);
        expect(seen).toHaveLength(count);
        expect(new Set(seen).size).toBe(count);
        expect(seen).toEqual([...seen].sort());
      }
    },
  );

  test.each([
    '',
    'x',
    'eyJ2IjoxfQ',
    Buffer.from('{"v":2,"a":"x"}').toString('base64url'),
    `${Buffer.from('{"v":1,"a":"x"}').toString('base64url')}=`,
  ])('the cursor "%s" was never given out: -32602', async (cursor) => {
    const session = await ada.initialize();
    for (const method of ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']) {
      for (const answer of [
        await ada.modern(method, { cursor }),
        await session.request(method, { cursor }),
      ]) {
        expect(answer.status).toBe(200);
        expect(answer.error).toEqual({ code: -32602, message: 'Invalid cursor' });
      }
    }
  });

  test('a cursor that is no text is no cursor', async () => {
    for (const cursor of [7, null, {}])
      expect((await ada.modern('tools/list', { cursor })).error.code).toBe(-32602);
  });

  test('a cursor goes on after its place when the list has changed meanwhile', async () => {
    const many = await running.caller({ scope: 'mcp:many' });
    const first = await many.modern('tools/list');
    const last = namesIn(first, 'tools').at(-1) ?? '';
    const backend = running.backend('many');
    backend.setTools([
      { name: last.replace('many_', ''), scope: 'mcp:many' },
      { name: 'zz', scope: 'mcp:many' },
    ]);
    await running.gateway.catalog.poll();
    const second = await many.modern('tools/list', { cursor: first.result.nextCursor ?? '' });
    expect(namesIn(second, 'tools')).toEqual([
      'many_zz',
      'read_cortex_resource',
      'report_missing_capability',
      'whoami',
    ]);
    expect(second.result.nextCursor).toBeUndefined();
  });
});

describe('the caller’s own choice', () => {
  test.each([
    ['?backends=notes', {}, ['notes']],
    ['', { 'x-cortex-backends': 'notes' }, ['notes']],
    ['?backends=many,notes', {}, ['many', 'notes']],
    ['?backends=many', { 'x-cortex-backends': 'notes' }, ['many']],
    ['?backends=nothing', {}, []],
    ['?backends=%20notes%20,,', {}, ['notes']],
    ['?backends=', {}, ['many', 'notes']],
  ])('%s with %j shows the tools of %j (R16)', async (search, headers, backends) => {
    const both = await running.caller({ scope: 'mcp:test mcp:many' });
    const listed = namesIn(await both.modern('tools/list', {}, { search, headers }), 'tools');
    const owners = listed.filter((name) => !builtins.includes(name)).map((name) => name.split('_')[0]);
    expect([...new Set(owners)].sort()).toEqual(backends);
  });

  test('it makes lists smaller in either era, and takes no right away', async () => {
    const both = await running.caller({ scope: 'mcp:test mcp:many' });
    const session = await both.initialize({ search: '?backends=many' });
    expect(JSON.stringify(session.answer?.result.instructions)).not.toContain('notes');
    expect(
      namesIn(await session.request('tools/list'), 'tools').some((name) => name.startsWith('notes_')),
    ).toBe(false);
    expect((await session.tool('notes_a')).isError).toBe(false);
    expect((await session.tool('notes_get_help')).error).toEqual({});
  });

  test.each(['?mode=other', '?mode=FULL', `?backends=${'a'.repeat(25)}`])(
    '%s is 400 and -32602',
    async (search) => {
      const answer = await ada.modern('tools/list', {}, { search });
      expect(answer.status).toBe(400);
      expect(answer.error.code).toBe(-32602);
    },
  );
});
