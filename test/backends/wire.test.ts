import { describe, expect, test } from 'vitest';
import type { Backend } from '#backends/backend.ts';
import { Secret } from '#kernel/secret.ts';
import { principal } from '../contract/principal.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { connect, context, search } from './setup.ts';

const live = () => new AbortController().signal;

const userMethods: readonly [string, (backend: Backend) => Promise<unknown>, object][] = [
  ['search', (backend) => backend.call(search(), context()), { q: 'x' }],
  ['read_resource', (backend) => backend.read('docs://a', context()), { uri: 'docs://a' }],
  [
    'get_prompt',
    (backend) => backend.prompt('p', { a: '1' }, context()),
    { name: 'p', arguments: { a: '1' } },
  ],
  [
    'complete',
    (backend) => backend.complete({ type: 'ref/prompt', name: 'p' }, { name: 'a', value: '1' }, context()),
    { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: '1' } },
  ],
  ['get_help', (backend) => backend.help('limits', context()), { topic: 'limits' }],
  ['whoami', (backend) => backend.whoami(context()), {}],
  [
    'report_missing_capability',
    (backend) => backend.ticket('report_missing_capability', { need: 'x' }, context()),
    { need: 'x' },
  ],
  ['list_tickets', (backend) => backend.ticket('list_tickets', {}, context()), {}],
];

describe('the two classes of token', () => {
  test.each(userMethods)(
    '%s carries the user’s token and context, and never the technical token',
    async (name, ask, params) => {
      await using server = createCapturingBackend();
      await using connected = connect(server.url);
      await ask(connected.backend);
      expect(server.calls.map((call) => call.method)).toEqual([name]);
      const [call] = server.calls;
      expect(call?.params).toEqual(params);
      expect(call?.headers.get('authorization')).toBe('Bearer user.jwt.token');
      expect(call?.headers.get('x-cortex-user-id')).toBe('user-1');
      expect(call?.headers.get('x-cortex-user-email')).toBe('ada@example.com');
      expect(call?.headers.get('x-cortex-user-role')).toBe('editor');
      expect(call?.headers.get('x-cortex-user-pool')).toBe('staff');
      expect(call?.headers.get('x-cortex-scopes')).toBe('mcp:docs:read mcp:docs:write');
      expect([...(call?.headers.values() ?? [])].join()).not.toContain('technical-token');
      expect(call?.headers.get('x-cortex-kind')).toBe(name === 'search' ? 'tool' : null);
      expect(call?.headers.get('user-agent')).toBe('cortex-gateway/0.0.0');
    },
  );

  test('the lists carry the technical token and nothing of any user', async () => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url);
    for (const [, ask] of userMethods) await ask(connected.backend);
    const before = server.calls.length;
    await connected.backend.discover(undefined, live());
    const lists = server.calls.slice(before);
    expect(lists.map((call) => call.method).sort()).toEqual([
      'list_prompts',
      'list_resource_templates',
      'list_resources',
      'list_tools',
    ]);
    for (const call of lists) {
      expect(call.headers.get('authorization')).toBe('Bearer technical-token');
      const everything = [...call.headers.entries()].join();
      expect(everything).not.toContain('user.jwt.token');
      expect(everything).not.toMatch(/x-cortex-(user|scopes|kind)/);
    }
  });

  test('a backend without a technical token is listed without one', async () => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url, { technicalToken: undefined });
    const discovery = await connected.backend.discover(undefined, live());
    expect(discovery).toMatchObject({ ok: false, error: { reason: 'token_refused' } });
    expect(server.calls[0]?.headers.get('authorization')).toBeNull();
  });

  test.each([
    ['another audience', { audience: ['https://elsewhere.example'] }],
    ['a key-bound token', { tokenKind: 'dpop' as const }],
    ['an opaque token', { tokenKind: 'opaque' as const }],
  ])('a principal with %s reaches no backend, by any method (R38)', async (_title, changes) => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url);
    const mine = context({ principal: principal(changes) });
    const { backend } = connected;
    const exchanges = await Promise.all([
      backend.call(search(), mine),
      backend.read('docs://a', mine),
      backend.prompt('p', {}, mine),
      backend.complete({}, {}, mine),
      backend.help(undefined, mine),
      backend.whoami(mine),
      backend.ticket('list_tickets', {}, mine),
    ]);
    for (const exchange of exchanges) {
      expect(exchange).toMatchObject({
        outcome: { ok: false, error: { reason: 'identity_refused' } },
        mode: undefined,
        answerBytes: 0,
      });
    }
    expect(server.calls).toEqual([]);
  });

  test('a token that no header can carry is sent nowhere, and does not count against the backend', async () => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url);
    const odd = context({ principal: principal({ token: new Secret('a\r\nX-Cortex-User-Role: admin') }) });
    for (let i = 0; i < 6; i++) {
      expect((await connected.backend.call(search(), odd)).outcome).toMatchObject({
        ok: false,
        error: { reason: 'invalid', message: 'The request to the backend could not be made.' },
      });
    }
    expect(server.calls).toEqual([]);
    expect(connected.backend.health().breaker).toBe('closed');
  });

  test('a redirect to another origin gets no token (R39)', async () => {
    await using thief = createCapturingBackend();
    await using server = createCapturingBackend();
    server.answer('search', () => Response.redirect(`${thief.url}/`, 307));
    await using connected = connect(server.url);
    const made = await connected.backend.call(search(), context());
    expect(made.outcome).toMatchObject({ ok: false, error: { reason: 'failed', status: 307 } });
    expect(thief.calls).toEqual([]);
  });
});

describe('what comes along with a call', () => {
  test('trace context, deadline, idempotency key and capabilities (R33)', async () => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url);
    await connected.backend.call(
      search(),
      context({
        trace: {
          traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
          tracestate: 'a=1,b=2',
          baggage: 'k=v',
          cookie: 'session=1',
        },
        timeoutMs: 900,
        idempotencyKey: 'key-7',
        clientCapabilities: { sampling: {}, elicitation: {}, 'bad name\r\n': {} },
      }),
    );
    const headers = server.calls[0]?.headers;
    expect(headers?.get('traceparent')).toBe('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
    expect(headers?.get('tracestate')).toBe('a=1,b=2');
    expect(headers?.get('baggage')).toBe('k=v');
    expect(headers?.get('cookie')).toBeNull();
    expect(headers?.get('idempotency-key')).toBe('key-7');
    expect(headers?.get('x-cortex-client-capabilities')).toBe('elicitation sampling');
    const deadlineMs = Number(headers?.get('x-cortex-deadline-ms'));
    expect(deadlineMs).toBeGreaterThan(0);
    expect(deadlineMs).toBeLessThanOrEqual(900);
  });

  test('a trace value that would add a header is left out', async () => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url);
    const trace = { traceparent: 'x\r\nAuthorization: Bearer stolen', baggage: 'é' };
    const made = await connected.backend.call(search(), context({ trace }));
    expect(made.outcome.ok).toBe(true);
    expect(server.calls[0]?.headers.get('traceparent')).toBeNull();
    expect(server.calls[0]?.headers.get('baggage')).toBeNull();
    expect(server.calls[0]?.headers.get('authorization')).toBe('Bearer user.jwt.token');
  });

  test('a tool with the name of a method is sent as a tool', async () => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url);
    await connected.backend.call(search({ name: 'whoami' }), context());
    expect(server.calls[0]?.headers.get('x-cortex-kind')).toBe('tool');
  });

  test('the answers to a question ride in params beside the arguments', async () => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url);
    const answered = context({ inputResponses: { a: { action: 'accept' } }, requestState: 'state-1' });
    await connected.backend.call(search(), answered);
    await connected.backend.read('docs://a', answered);
    await connected.backend.prompt('p', {}, answered);
    for (const call of server.calls) {
      expect(call.params).toMatchObject({
        inputResponses: { a: { action: 'accept' } },
        requestState: 'state-1',
      });
    }
  });

  test('arguments beyond the bound are refused before anything is sent', async () => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url);
    const huge = search({ arguments: { q: 'x'.repeat(5_000_000) } });
    expect((await connected.backend.call(huge, context())).outcome).toMatchObject({
      ok: false,
      error: { reason: 'invalid', message: 'The arguments are too large.' },
    });
    expect(server.calls).toEqual([]);
  });

  test('a backend that keeps no tickets is not asked for them', async () => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url, { tickets: false });
    const made = await connected.backend.ticket('list_tickets', {}, context());
    expect(made.outcome).toMatchObject({ ok: false, error: { reason: 'unsupported' } });
    expect(server.calls).toEqual([]);
  });
});

describe('what a backend answers', () => {
  test('JSON goes on as it came, big integers included', async () => {
    await using server = createCapturingBackend();
    const text = '{ "id": 12345678901234567890,\n "b": [1.0] }';
    server.answer('search', () => new Response(text));
    await using connected = connect(server.url);
    const made = await connected.backend.call(search(), context());
    expect(made).toMatchObject({
      outcome: { ok: true, value: { kind: 'json', text } },
      backend: 'docs',
      mode: 'propagate',
      answerBytes: text.length,
    });
  });

  test('an answer marked as MCP is told apart', async () => {
    await using server = createCapturingBackend();
    const mcp = (body: object) => Response.json(body, { headers: { 'X-Cortex-Result': 'mcp' } });
    server.answer('search', () => mcp({ content: [], isError: true }));
    server.answer('broken', () => mcp({ rows: [] }));
    await using connected = connect(server.url);
    const good = await connected.backend.call(search(), context());
    const bad = await connected.backend.call(search({ name: 'broken' }), context());
    expect(good.outcome).toMatchObject({
      ok: true,
      value: { kind: 'mcp', text: '{"content":[],"isError":true}' },
    });
    expect(bad.outcome).toMatchObject({ ok: false, error: { reason: 'not_json' } });
  });

  test('a question to the user is told apart, marked as MCP or not', async () => {
    await using server = createCapturingBackend();
    const body = {
      resultType: 'input_required',
      inputRequests: { a: { method: 'elicitation/create' } },
      requestState: 's',
    };
    server.answer('search', () => Response.json(body, { headers: { 'X-Cortex-Result': 'mcp' } }));
    server.answer('get_prompt', () => Response.json(body));
    await using connected = connect(server.url);
    const asked = {
      ok: true,
      value: { kind: 'input_required', inputRequests: body.inputRequests, requestState: 's' },
    };
    expect((await connected.backend.call(search(), context())).outcome).toEqual(asked);
    expect((await connected.backend.prompt('p', {}, context())).outcome).toEqual(asked);
  });

  test('prompts and reads need their list', async () => {
    await using server = createCapturingBackend();
    server.answer('get_prompt', () => Response.json({ messages: [] }));
    server.answer('read_resource', () => Response.json({ error: 'down' }));
    await using connected = connect(server.url);
    expect((await connected.backend.prompt('p', {}, context())).outcome.ok).toBe(true);
    expect((await connected.backend.read('docs://a', context())).outcome).toMatchObject({
      ok: false,
      error: { reason: 'not_json' },
    });
  });

  test('completions, identity and tickets come parsed', async () => {
    await using server = createCapturingBackend();
    server.answer('complete', () => Response.json({ values: ['a'], total: 1 }));
    server.answer('whoami', () => Response.json({ role: 'editor' }));
    server.answer('list_tickets', () => Response.json([{ id: 1 }]));
    await using connected = connect(server.url);
    const { backend } = connected;
    expect((await backend.complete({}, {}, context())).outcome).toEqual({
      ok: true,
      value: { values: ['a'], total: 1, hasMore: undefined },
    });
    expect((await backend.whoami(context())).outcome).toEqual({ ok: true, value: { role: 'editor' } });
    expect((await backend.ticket('list_tickets', {}, context())).outcome).toEqual({
      ok: true,
      value: [{ id: 1 }],
    });
  });

  test('an optional method that the backend does not know is unsupported', async () => {
    await using server = createCapturingBackend();
    server.answer('complete', () => Response.json({ error: 'unknown method complete' }, { status: 404 }));
    server.answer('whoami', () => Response.json({ error: 'Unknown method' }, { status: 500 }));
    server.answer('get_help', () => Response.json({ error: 'no help for this topic' }, { status: 404 }));
    await using connected = connect(server.url);
    const { backend } = connected;
    const reasons = await Promise.all([
      backend.complete({}, {}, context()),
      backend.whoami(context()),
      backend.help('x', context()),
    ]);
    expect(reasons.map((made) => (made.outcome.ok ? 'ok' : made.outcome.error.reason))).toEqual([
      'unsupported',
      'unsupported',
      'invalid',
    ]);
  });
});
