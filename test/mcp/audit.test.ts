import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '#kernel/json.ts';
import type { McpCaller } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { breakAudit } from './support/audit-failure.ts';

const tools = [
  { name: 'open', scope: 'mcp:test' },
  { name: 'read', scope: 'mcp:test', annotations: { readOnlyHint: true } },
  { name: 'secret', scope: ['mcp:test', 'mcp:more'] },
];
const lists = {
  prompts: [{ name: 'p', scope: 'mcp:test' }],
  resources: [{ uri: 'Note://1', name: 'One', scope: 'mcp:test' }],
};
const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

describe('the audit of a call (R33)', () => {
  let running: RunningGateway;
  let ada: McpCaller;
  beforeAll(async () => {
    running = await runGateway({
      backends: { notes: { tools, ...lists } },
      config: {
        // Each record is on the disk before its call is answered.
        audit: { durability: 'call' },
        plans: { basic: ['mcp:test'] },
        limits: { tool_calls_per_minute: { notes_read: 1 } },
      },
    });
    ada = await running.caller({ sub: 'ada', scope: 'mcp:test' });
    const notes = running.backend('notes');
    notes.answer('get_prompt', () => Response.json({ messages: [] }));
    notes.answer('read_resource', () => Response.json({ contents: [] }));
    notes.answer('complete', () => Response.json({ values: [] }));
  });
  afterAll(() => running.close());

  /** Exactly one record comes of what `act` does; its facts. */
  async function recordOf(act: () => Promise<unknown>): Promise<JsonObject> {
    const before = (await running.calls(0)).length;
    await act();
    await running.calls(before + 1);
    await Bun.sleep(20);
    const records = (await running.calls(0)).slice(before);
    expect(records).toHaveLength(1);
    return records[0] ?? {};
  }

  test('holds who, how, what, where and how it ended, and no argument', async () => {
    const record = await recordOf(() =>
      ada.tool('notes_open', { secret: 'p4ssw0rd' }, { headers: { traceparent } }),
    );
    expect(record).toMatchObject({
      kind: 'call',
      era: 'modern',
      method: 'tools/call',
      tool: 'notes_open',
      backend: 'notes',
      backends: ['notes'],
      scopes: ['mcp:test'],
      mode: 'propagate',
      plan: 'basic',
      client: 'test-client',
      agent: 'test/1',
      outcome: 'ok',
      code: 'ok',
      trace: traceId,
    });
    expect(record.request_bytes).toBeGreaterThan(200);
    expect(record.response_bytes).toBeGreaterThan(100);
    expect(record.ms).toBeGreaterThan(0);
    expect(JSON.stringify(record)).not.toMatch(/p4ssw0rd|ada|eyJ|127\.0\.0\.1/);
  });

  test.each([
    ['prompts/get', { name: 'notes_p' }, { tool: 'notes_p', backend: 'notes', scopes: ['mcp:test'] }],
    ['resources/read', { uri: 'Note://1' }, { tool: 'note', backend: 'notes', scopes: ['mcp:test'] }],
    ['resources/read', { uri: 'cortex://architecture' }, { tool: 'cortex', code: 'ok' }],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'notes_p' }, argument: { name: 'a', value: 'b' } },
      { tool: 'notes_p', backend: 'notes', scopes: ['mcp:test'] },
    ],
    ['server/discover', {}, { code: 'ok' }],
    ['nothing/such', {}, { outcome: 'refused', code: 'method_unknown' }],
  ])('%s with %j says what was asked for', async (method, params, facts) => {
    expect(await recordOf(() => ada.modern(method, params))).toMatchObject({ method, ...facts });
  });

  test('a list says how many bytes it served', async () => {
    const record = await recordOf(() => ada.modern('tools/list'));
    expect(record.list_bytes).toBeGreaterThan(500);
    expect(record.list_bytes).toBeLessThan(Number(record.response_bytes));
  });

  test.each([
    ['notes_secret', {}, { outcome: 'refused', code: 'scope_missing', tool: 'notes_secret' }],
    ['notes_none', {}, { outcome: 'refused', code: 'tool_unknown', tool: 'notes_none' }],
    [
      'notes_open',
      { headers: { 'mcp-name': 'whoami' } },
      { outcome: 'refused', code: 'header_mismatch', tool: 'notes_open' },
    ],
    [
      'notes_open',
      { meta: { 'io.modelcontextprotocol/clientCapabilities': null } },
      { outcome: 'refused', code: 'meta_missing' },
    ],
  ])('a refused call of %s with %j is a record like any other', async (name, ask, facts) => {
    expect(await recordOf(() => ada.tool(name, {}, ask))).toMatchObject({ method: 'tools/call', ...facts });
  });

  test('a call beyond its allowance is one too', async () => {
    await recordOf(() => ada.tool('notes_read'));
    expect(await recordOf(() => ada.tool('notes_read'))).toMatchObject({
      outcome: 'refused',
      code: 'rate_limited',
    });
  });

  test('a failure of the backend is an error with its reason', async () => {
    running.backend('notes').answer('open', () => new Response('', { status: 502 }));
    expect(await recordOf(() => ada.tool('notes_open'))).toMatchObject({
      outcome: 'error',
      code: 'failed',
      backend: 'notes',
    });
    running
      .backend('notes')
      .answer('open', () =>
        Response.json({ content: [], isError: true }, { headers: { 'X-Cortex-Result': 'mcp' } }),
      );
    expect(await recordOf(() => ada.tool('notes_open'))).toMatchObject({ outcome: 'error', code: 'ok' });
    running
      .backend('notes')
      .answer('open', () => Response.json({ resultType: 'input_required', inputRequests: {} }));
    expect(await recordOf(() => ada.tool('notes_open'))).toMatchObject({
      outcome: 'input_required',
      code: 'ok',
    });
  });

  test('a cancelled call is one, with the backend that was asked', async () => {
    running.backend('notes').answer('open', () => new Promise(() => {}));
    const leaving = new AbortController();
    const record = await recordOf(async () => {
      const call = ada.tool('notes_open', {}, { signal: leaving.signal });
      await Bun.sleep(30);
      leaving.abort();
      await call.catch(() => {});
    });
    expect(record).toMatchObject({ outcome: 'cancelled', backend: 'notes', tool: 'notes_open' });
  });

  test('listening, opening a session and its end are records; so is a session that is somebody else’s', async () => {
    const listened = await recordOf(async () => (await ada.listen({})).close());
    expect(listened).toMatchObject({ method: 'subscriptions/listen', outcome: 'ok' });
    let id = '';
    const opened = await recordOf(async () => {
      id = (await ada.initialize()).id;
    });
    expect(opened).toMatchObject({ method: 'initialize', era: 'legacy', agent: 'test/1' });
    const bob = await running.caller({ sub: 'bob' });
    const stolen = await recordOf(() => bob.session(id).tool('notes_open'));
    expect(stolen).toMatchObject({
      method: 'tools/call',
      era: 'legacy',
      outcome: 'refused',
      code: 'session_gone',
    });
    expect(stolen.user).not.toBe(opened.user);
  });

  test('a malformed or foreign trace context is dropped', async () => {
    for (const value of ['00-xyz', traceparent.toUpperCase(), `${traceparent}-more`]) {
      const record = await recordOf(() => ada.modern('tools/list', {}, { headers: { traceparent: value } }));
      expect(record.trace).toBeUndefined();
    }
  });
});

test('the trace context goes to the backend, from the headers or, first, from _meta (R33)', async () => {
  await using running = await runGateway({ backends: { notes: { tools } } });
  const ada = await running.caller({ scope: 'mcp:test' });
  const other = traceparent.replace('-01', '-00');
  await ada.tool('notes_open', {}, { headers: { traceparent, tracestate: 'a=1', baggage: 'k=v' } });
  await ada.tool(
    'notes_open',
    {},
    { headers: { traceparent, tracestate: 'a=1' }, meta: { traceparent: other, baggage: 'm=1' } },
  );
  await ada.tool('notes_open', {}, { headers: { tracestate: 'a=1' } });
  const sent = running
    .backend('notes')
    .callsOf('open')
    .map(({ headers }) => ['traceparent', 'tracestate', 'baggage'].map((name) => headers.get(name)));
  expect(sent).toEqual([
    [traceparent, 'a=1', 'k=v'],
    [other, null, 'm=1'],
    [null, null, null],
  ]);
});

describe.each(['deny-writes', 'deny-all', 'continue'] as const)(
  'while records cannot be written, under %s',
  (policy) => {
    let running: RunningGateway;
    let ada: McpCaller;
    let mend: () => Promise<void>;
    beforeAll(async () => {
      running = await runGateway({
        backends: { notes: { tools } },
        config: { audit: { on_failure: policy } },
      });
      await running.reload({ notes: { config: { prefix: 'n' } } }, { audit: { on_failure: policy } });
      await running.gateway.catalog.poll();
      const broken = await breakAudit(running);
      mend = broken.mend;
      ada = await running.caller({ scope: 'mcp:test', ...broken.claims });
    });
    afterAll(() => running.close());

    const isRefused = async (name: string) => {
      const before = running.backend('notes').calls.length;
      const answer = await ada.tool(name, name === 'report_missing_capability' ? { title: 'x' } : {});
      const refused = answer.status === 503;
      if (refused) {
        expect(answer.error).toEqual({
          code: -32603,
          message: 'The audit log cannot be written: calls are refused until it can',
        });
        expect(running.backend('notes').calls).toHaveLength(before);
      }
      return refused;
    };

    test.each([
      ['n_open', policy !== 'continue'],
      ['notes_open', policy !== 'continue'],
      ['n_read', policy === 'deny-all'],
      ['notes_read', policy === 'deny-all'],
      ['report_missing_capability', policy !== 'continue'],
      ['whoami', policy === 'deny-all'],
    ])('a call of %s is refused: %s', async (name, expected) => {
      expect(await isRefused(name)).toBe(expected);
    });

    test('everything else is refused only where all is denied', async () => {
      expect((await ada.modern('tools/list')).status).toBe(policy === 'deny-all' ? 503 : 200);
      expect((await ada.initialize()).answer?.status).toBe(policy === 'deny-all' ? 503 : 200);
      const listening = await ada.modern(
        'subscriptions/listen',
        {},
        { headers: { accept: 'application/json' } },
      );
      expect(listening.status).toBe(406);
    });

    test('and no longer, once the disk is back', async () => {
      await mend();
      for (let waited = 0; await isRefused('n_open'); waited += 100) {
        expect(waited).toBeLessThan(5_000);
        await Bun.sleep(100);
      }
    });
  },
);

test('under call durability and deny-writes, a read-only tool is answered although its record is not kept', async () => {
  await using running = await runGateway({
    backends: { notes: { tools } },
    config: { audit: { on_failure: 'deny-writes', durability: 'call' } },
  });
  const { claims } = await breakAudit(running);
  const ada = await running.caller({ scope: 'mcp:test', ...claims });
  expect((await ada.tool('notes_read')).status).toBe(200);
  expect((await ada.tool('notes_open')).status).toBe(503);
});
