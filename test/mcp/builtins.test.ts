import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { type Answer, type McpCaller, namesIn, objectAt } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { stopwatch } from '../support/stopwatch.ts';

const ids = Array.from({ length: 12 }, (_, index) => `b${String(index).padStart(2, '0')}`);
let running: RunningGateway;
let ada: McpCaller;
let atOnce = 0;
let mostAtOnce = 0;

beforeAll(async () => {
  const tools = [{ name: 'x', scope: 'mcp:test' }];
  const many = Object.fromEntries(ids.map((id) => [id, { tools }]));
  running = await runGateway({
    backends: {
      ...many,
      notes: {
        tools: [{ name: 'list', scope: 'mcp:notes' }],
        resources: [
          { uri: 'note://1', name: 'One', scope: 'mcp:notes' },
          { uri: 'note://h', name: 'H', scope: 'mcp:more' },
        ],
        resourceTemplates: [{ uriTemplate: 'note://t/{id}', name: 'T', scope: 'mcp:notes' }],
        prompts: [{ name: 'p', scope: 'mcp:notes' }],
        config: { tickets: true },
      },
      hidden: { tools: [{ name: 'y', scope: 'mcp:hidden' }] },
    },
    config: { plans: { basic: ['mcp:notes'] }, gateway: { server_name: 'Ours' } },
  });
  for (const id of ids) {
    running.backend(id).answer('whoami', async () => {
      atOnce += 1;
      mostAtOnce = Math.max(mostAtOnce, atOnce);
      await Bun.sleep(30);
      atOnce -= 1;
      return Response.json({ role: `role in ${id}` });
    });
  }
  ada = await running.caller({ sub: 'ada', scope: 'mcp:notes', email: 'ada@example.com' });
});
afterAll(() => running.close());

const saidJson = (answer: Answer): JsonObject => {
  const value: unknown = JSON.parse(answer.said);
  return isJsonObject(value) ? value : {};
};

describe('whoami', () => {
  test('tells who calls, and what each application with a visible tool says of them', async () => {
    running
      .backend('notes')
      .answer('whoami', ({ headers }) => Response.json({ as: headers.get('x-cortex-user-id') }));
    const said = saidJson(await ada.tool('whoami'));
    expect(said).toEqual({
      kind: 'user',
      subject: 'ada',
      issuer: running.issuer.url,
      email: 'ada@example.com',
      plan: 'basic',
      client: 'test-client',
      scopes: ['mcp:notes'],
      tokenExpiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
      applications: { notes: { as: 'ada' } },
    });
    expect(running.backend('hidden').callsOf('whoami')).toEqual([]);
  });

  test('asks eight at once, and remembers for ten seconds what it was told, per token', async () => {
    const asked = () => ids.reduce((sum, id) => sum + running.backend(id).callsOf('whoami').length, 0);
    const wide = await running.caller({ sub: 'wide', scope: 'mcp:test' });
    const { applications } = saidJson(await wide.tool('whoami'));
    expect(Object.keys(objectAt({ applications }, 'applications'))).toEqual(ids);
    expect(mostAtOnce).toBe(8);
    await wide.tool('whoami');
    expect(asked()).toBe(12);
    const same = await running.caller({ sub: 'wide', scope: 'mcp:test' });
    await same.tool('whoami');
    expect(asked()).toBe(24);
    running.clock.advance(10_001);
    await wide.tool('whoami');
    expect(asked()).toBe(36);
  });

  test('is not held up by an application that hangs, fails or has no whoami', async () => {
    const own = await running.caller({ sub: 'patient', scope: 'mcp:notes mcp:test' });
    running.backend('notes').answer('whoami', () => new Promise(() => {}));
    running.backend('b00').answer('whoami', () => new Response('', { status: 502 }));
    running
      .backend('b01')
      .answer('whoami', () => Response.json({ error: 'unknown method' }, { status: 404 }));
    const elapsedMs = stopwatch();
    const { applications } = saidJson(await own.tool('whoami'));
    expect(elapsedMs()).toBeLessThan(3_000);
    expect(applications).toMatchObject({
      notes: { unavailable: 'timeout' },
      b00: { unavailable: 'failed' },
      b02: { role: 'role in b02' },
    });
    expect(Object.keys(objectAt({ applications }, 'applications'))).not.toContain('b01');
    const [record] = await running.calls(
      1,
      ({ tool, backends }) => tool === 'whoami' && Array.isArray(backends) && backends.length === 13,
    );
    expect(record).toMatchObject({ outcome: 'ok', code: 'ok', mode: 'propagate' });
    expect(record?.backend).toBeUndefined();
  });
});

describe('resources for clients that have none', () => {
  test('are listed with the templates, as far as the caller may read', async () => {
    const said = saidJson(await ada.tool('list_cortex_resources'));
    expect(said.resources).toEqual([
      expect.objectContaining({ uri: 'cortex://architecture' }),
      { uri: 'note://1', name: 'One' },
    ]);
    expect(said.resourceTemplates).toEqual([{ uriTemplate: 'note://t/{id}', name: 'T' }]);
    const bad = await ada.tool('list_cortex_resources', { cursor: 'x' });
    expect([bad.isError, bad.said]).toEqual([true, 'The cursor is not valid']);
  });

  test('are read as an embedded resource; what may not be read is not found', async () => {
    running
      .backend('notes')
      .answer('read_resource', () => Response.json({ contents: [{ uri: 'note://1', text: 'Hi' }] }));
    const read = await ada.tool('read_cortex_resource', { uri: 'note://1' });
    expect(read.result.content).toEqual([{ type: 'resource', resource: { uri: 'note://1', text: 'Hi' } }]);
    for (const uri of ['note://h', 'note://none', 'nothing']) {
      const refused = await ada.tool('read_cortex_resource', { uri });
      expect([refused.isError, refused.said]).toEqual([true, 'Resource not found']);
    }
    expect((await ada.tool('read_cortex_resource', {})).said).toBe('uri must be a string');
    running.backend('notes').answer('read_resource', () => new Response('', { status: 502 }));
    expect((await ada.tool('read_cortex_resource', { uri: 'note://1' })).isError).toBe(true);
  });
});

describe('the architecture page and the instructions', () => {
  test('tell of the applications that the caller reaches, how many things each has, and where its help is', async () => {
    const { result } = await ada.modern('resources/read', { uri: 'cortex://architecture' });
    const [page] = Array.isArray(result.contents) ? result.contents : [];
    expect(page).toMatchObject({ uri: 'cortex://architecture', mimeType: 'text/markdown' });
    expect(JSON.stringify(page)).toContain(
      '- **notes**: 1 tool, 1 prompt, 2 resources. Start with `notes_get_help`.',
    );
    expect(JSON.stringify(page)).not.toMatch(/hidden|b00/);
    expect(result).toMatchObject({ ttlMs: 60_000, cacheScope: 'private' });
    const { instructions } = (await ada.modern('server/discover')).result;
    expect(instructions).toContain('- notes (how to work with it: notes_get_help)');
    expect(instructions).not.toMatch(/hidden|b00/);
  });

  test('say when an application does not answer at the moment', async () => {
    running.backend('notes').answer('list_tools', () => new Response('', { status: 503 }));
    await running.gateway.catalog.poll();
    const page = await ada.tool('read_cortex_resource', { uri: 'cortex://architecture' });
    expect(page.text).toContain('**notes** (not answering at the moment)');
    expect((await ada.modern('server/discover')).result.instructions).not.toContain('notes');
    running
      .backend('notes')
      .answer('list_tools', () => Response.json({ tools: [{ name: 'list', scope: 'mcp:notes' }] }));
    await running.gateway.catalog.poll();
  });
});

describe('help', () => {
  test('is offered for each application that the caller sees, and asked as the caller', async () => {
    expect(namesIn(await ada.modern('tools/list'), 'tools')).toContain('notes_get_help');
    running
      .backend('notes')
      .answer('get_help', ({ params }) => Response.json({ overview: 'Notes.', params }));
    expect(saidJson(await ada.tool('notes_get_help', { topic: 'search' }))).toEqual({
      overview: 'Notes.',
      params: { topic: 'search' },
    });
    running
      .backend('notes')
      .answer('get_help', () => Response.json({ error: 'unknown method' }, { status: 404 }));
    const none = await ada.tool('notes_get_help');
    expect([none.isError, none.said]).toEqual([true, 'notes offers no help']);
    expect((await ada.tool('hidden_get_help')).error.message).toBe('Unknown tool: hidden_get_help');
  });
});

describe('tickets', () => {
  test('are kept per caller, and a repeated one is counted', async () => {
    const bob = await running.caller({ sub: 'bob' });
    const report = { title: 'Export as PDF', details: 'for the auditors', severity: 'blocking' };
    const first = saidJson(await bob.tool('report_missing_capability', report));
    const again = saidJson(await bob.tool('report_missing_capability', report));
    expect(JSON.stringify(again)).toContain('2');
    expect(first).not.toEqual(again);
    const { tickets } = saidJson(await bob.tool('list_cortex_tickets'));
    expect(tickets).toEqual([expect.objectContaining({ title: 'Export as PDF', severity: 'blocking' })]);
    expect(saidJson(await ada.tool('list_cortex_tickets')).tickets).toEqual([]);
    for (const bad of [{}, { title: '' }, { title: 7 }]) {
      expect((await bob.tool('report_missing_capability', bad)).isError).toBe(true);
    }
  });

  test('go to the application that keeps its own, if the caller sees it', async () => {
    const notes = running.backend('notes');
    notes.answer('report_missing_capability', ({ params }) =>
      Response.json({ id: 'T-1', title: params.title }),
    );
    notes.answer('list_tickets', () => Response.json([{ id: 'T-1' }]));
    expect(saidJson(await ada.tool('report_missing_capability', { title: 'x', backend: 'notes' }))).toEqual({
      backend: 'notes',
      answer: { id: 'T-1', title: 'x' },
    });
    expect(saidJson(await ada.tool('list_cortex_tickets', { backend: 'notes' }))).toEqual({
      backend: 'notes',
      answer: [{ id: 'T-1' }],
    });
    notes.answer('list_tickets', () => Response.json({ error: 'not today' }, { status: 500 }));
    expect((await ada.tool('list_cortex_tickets', { backend: 'notes' })).said).toBe('not today');
    const blind = await running.caller({ sub: 'blind' });
    const before = notes.calls.length;
    expect(saidJson(await blind.tool('list_cortex_tickets', { backend: 'notes' })).tickets).toEqual([]);
    await blind.tool('report_missing_capability', { title: 'x', backend: 'notes' });
    expect(notes.calls).toHaveLength(before);
  });
});
