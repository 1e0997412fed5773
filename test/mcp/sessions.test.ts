import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LegacyClient, type McpCaller, namesIn, readAnswer } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

let running: RunningGateway;
let ada: McpCaller;

beforeAll(async () => {
  running = await runGateway({
    backends: {
      notes: {
        tools: [{ name: 'echo', scope: 'mcp:test' }],
        resources: [{ uri: 'note://1', name: 'One', scope: 'mcp:test' }],
      },
      docs: { resourceTemplates: [{ uriTemplate: 'docs://{id}', name: 'Doc', scope: 'mcp:test' }] },
    },
    config: { limits: { session_lifetime: '1h', subscriptions_per_session: 2 } },
  });
  ada = await running.caller({ sub: 'ada', scope: 'mcp:test' });
});
afterAll(() => running.close());

const gone = { code: -32000, message: 'Session not found: send initialize again' };

describe('initialize (R11)', () => {
  test.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['2024-11-05', '2025-11-25'],
    ['2026-07-28', '2025-11-25'],
    ['nonsense', '2025-11-25'],
  ])('a client that asks for %s gets %s', async (asked, given) => {
    const { answer } = await ada.initialize({ revision: asked });
    expect(answer?.result).toEqual({
      protocolVersion: given,
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        completions: {},
        logging: {},
      },
      serverInfo: { name: 'cortex-gateway', version: '0.0.0-test' },
      instructions: expect.stringContaining('notes'),
    });
  });

  test('each time mints another id, printable and without a trace of who it is for', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await ada.initialize()).id));
    expect(new Set(ids).size).toBe(20);
    for (const id of ids) {
      expect(id).toMatch(/^[\x21-\x7e]{64,512}$/);
      expect(Buffer.from(id, 'base64url').toString('latin1')).not.toContain('ada');
    }
  });

  test('what a client says of its capabilities cannot make an id that nobody accepts', async () => {
    const huge = { elicitation: { form: {}, pad: 'x'.repeat(20_000) }, sampling: {}, roots: {} };
    const session = await ada.initialize({ capabilities: huge });
    expect(session.id.length).toBeLessThan(1_000);
    expect((await session.request('ping')).status).toBe(200);
  });

  test('the older protocol pings, and knows nothing of discover', async () => {
    const session = await ada.initialize();
    expect((await session.request('ping', {}, { id: 'p' })).message).toEqual({
      jsonrpc: '2.0',
      id: 'p',
      result: {},
    });
    const unknown = await session.request('server/discover');
    expect([unknown.status, unknown.error.code]).toEqual([200, -32601]);
  });
});

describe('a session id', () => {
  let session: LegacyClient;
  beforeAll(async () => {
    session = await ada.initialize();
  });

  test('is required: 400 without one', async () => {
    const answer = await ada
      .session('')
      .request('tools/list', {}, { headers: { 'mcp-session-id': null }, id: 4 });
    expect(answer.status).toBe(400);
    const error = { code: -32000, message: 'Mcp-Session-Id is required: send initialize first' };
    expect(answer.message).toEqual({ jsonrpc: '2.0', id: 4, error });
  });

  test.each([
    ['another user', { sub: 'bob', scope: 'mcp:test' }],
    ['the same user through another client', { sub: 'ada', scope: 'mcp:test', client_id: 'other' }],
  ])('of somebody else is 404 for %s, on every verb', async (_who, claims) => {
    const thief = (await running.caller(claims)).session(session.id);
    const answers = [
      await thief.request('tools/list'),
      await readAnswer(await thief.notify('notifications/initialized')),
      await readAnswer(await thief.respond('cortex-1', {})),
      await readAnswer(await thief.get()),
      await readAnswer(await thief.end()),
    ];
    for (const { status, error } of answers) expect([status, error]).toEqual([404, gone]);
    expect((await session.request('ping')).status).toBe(200);
  });

  test('goes on with a refreshed token of the same user and client', async () => {
    const refreshed = await running.caller({ sub: 'ada', scope: 'mcp:test mcp:more' });
    expect((await refreshed.session(session.id).request('ping')).status).toBe(200);
  });

  test.each(['', 'forged', 'x'.repeat(10_000)])('that was never minted is 404', async (id) => {
    expect((await ada.session(id).request('ping')).error).toEqual(gone);
  });

  test('with one character changed, wherever, is 404', async () => {
    for (const at of [0, 5, 20, 40, 80, session.id.length - 1]) {
      const other = session.id[at] === 'A' ? 'B' : 'A';
      const forged = `${session.id.slice(0, at)}${other}${session.id.slice(at + 1)}`;
      expect((await ada.session(forged).request('ping')).status).toBe(404);
    }
  });

  test('is 404 after DELETE, which ends its stream and its calls', async () => {
    const ended = await ada.initialize();
    const events = await ended.events();
    running.backend('notes').answer(
      'echo',
      ({ signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(new Response(null, { status: 499 })));
        }),
    );
    const call = ended.tool('notes_echo');
    await Bun.sleep(30);
    expect((await ended.end()).status).toBe(204);
    expect(await events.rest()).toEqual([]);
    expect((await call).text).toBe('');
    expect((await ended.request('ping')).error).toEqual(gone);
    expect((await ended.end()).status).toBe(404);
  });

  test('is 404 once it has expired', async () => {
    const old = await ada.initialize();
    running.clock.advance(59 * 60_000);
    const iat = Math.floor(running.clock.now() / 1000);
    const later = await running.caller({ sub: 'ada', scope: 'mcp:test', iat, exp: iat + 7_200 });
    expect((await later.session(old.id).request('ping')).status).toBe(200);
    running.clock.advance(61_000);
    expect((await later.session(old.id).request('ping')).error).toEqual(gone);
  });
});

describe('what a session asked for', () => {
  let own: McpCaller;
  beforeAll(async () => {
    const iat = Math.floor(running.clock.now() / 1000);
    own = await running.caller({ sub: 'ada', scope: 'mcp:test', iat, exp: iat + 7_200 });
  });

  test('is refused where it makes no sense', async () => {
    const session = await own.initialize();
    expect((await session.request('logging/setLevel', { level: 'loud' })).error.code).toBe(-32602);
    expect((await session.request('resources/subscribe', { uri: 7 })).error.code).toBe(-32602);
    expect((await session.request('resources/unsubscribe', {})).error.code).toBe(-32602);
    const hidden = await session.request('resources/subscribe', { uri: 'note://2' });
    expect(hidden.error).toEqual({ code: -32002, message: 'Resource not found', data: { uri: 'note://2' } });
    expect((await session.request('resources/unsubscribe', { uri: 'note://9' })).result).toEqual({});
  });

  test('is bounded: so many subscriptions and no more', async () => {
    const session = await own.initialize();
    const subscribe = (uri: string) => session.request('resources/subscribe', { uri });
    for (const uri of ['note://1', 'note://1', 'cortex://architecture'])
      expect((await subscribe(uri)).result).toEqual({});
    const refused = await subscribe('docs://1');
    expect(refused.error.message).toBe('Invalid params: too many subscriptions in this session');
    await session.request('resources/unsubscribe', { uri: 'note://1' });
    expect((await subscribe('docs://1')).error).toEqual({});
  });
});

describe('batches', () => {
  const ping = (id: number) => ({ jsonrpc: '2.0', id, method: 'ping' });

  test('exist in a session of 2025-03-26: the answers come together, a notification has none', async () => {
    const iat = Math.floor(running.clock.now() / 1000);
    const own = await running.caller({ sub: 'ada', scope: 'mcp:test', iat, exp: iat + 7_200 });
    const session = await own.initialize({ revision: '2025-03-26' });
    const note = { jsonrpc: '2.0', method: 'notifications/initialized' };
    const list = { jsonrpc: '2.0', id: 3, method: 'tools/list' };
    const init = { jsonrpc: '2.0', id: 4, method: 'initialize', params: {} };
    const answers: unknown = await (await session.post([ping(1), note, list, 'x', init])).json();
    expect(answers).toEqual([
      { jsonrpc: '2.0', id: 1, result: {} },
      { jsonrpc: '2.0', id: 3, result: { tools: expect.any(Array) } },
      { jsonrpc: '2.0', error: expect.objectContaining({ code: -32600 }) },
      { jsonrpc: '2.0', id: 4, error: expect.objectContaining({ code: -32600 }) },
    ]);
    const none = await session.post([note, note]);
    expect([none.status, await none.text()]).toEqual([202, '']);
    for (const bad of [[], Array.from({ length: 51 }, (_, id) => ping(id))])
      expect((await session.post(bad)).status).toBe(400);
    const newer = await own.initialize();
    expect((await newer.post([ping(1)])).status).toBe(400);
    expect(namesIn(await newer.request('tools/list'), 'tools')).toContain('whoami');
  });
});
