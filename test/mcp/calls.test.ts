import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '#kernel/json.ts';
import { type Answer, type McpCaller, objectAt } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

const errorKey = 'io.github.cortex-gateway/error';
const tools = [
  { name: 'open', scope: 'mcp:test' },
  { name: 'shaped', scope: 'mcp:test', outputSchema: { type: 'object' } },
  { name: 'both', scope: ['mcp:test', 'mcp:more'] },
  { name: 'nobody' },
];
const lists = {
  prompts: [
    { name: 'p', scope: 'mcp:test' },
    { name: 'hidden', scope: 'mcp:more' },
  ],
  resources: [
    { uri: 'note://1', name: 'One', scope: 'mcp:test' },
    { uri: 'note://hidden', name: 'H', scope: 'mcp:more' },
  ],
};
let running: RunningGateway;
let ada: McpCaller;
beforeAll(async () => {
  running = await runGateway({ backends: { notes: { tools, ...lists } } });
  ada = await running.caller({ scope: 'mcp:test' });
});
afterAll(() => running.close());

const answers = (method: string, body: unknown, init: ResponseInit = {}) =>
  running
    .backend('notes')
    .answer(method, () => (typeof body === 'string' ? new Response(body, init) : Response.json(body, init)));
const mcp = { headers: { 'X-Cortex-Result': 'mcp' } };
const detailOf = (answer: Answer): JsonObject => objectAt(objectAt(answer.result, '_meta'), errorKey);

describe('a result', () => {
  test('of plain JSON is its own bytes as text, and again as structuredContent where the tool declares a schema', async () => {
    const raw = '{"b" : 1.50, "a":[ ],\n "nested":{"ü":"\\u0000"}}';
    answers('open', raw, { headers: { 'content-type': 'application/json' } });
    answers('shaped', raw, { headers: { 'content-type': 'application/json' } });
    const open = await ada.tool('notes_open');
    expect(open.result.content).toEqual([{ type: 'text', text: raw }]);
    expect(open.result.structuredContent).toBeUndefined();
    const shaped = await ada.tool('notes_shaped');
    expect(shaped.text).toContain(`"structuredContent":${raw}`);
    expect((await (await ada.initialize()).tool('notes_shaped')).result.structuredContent).toEqual(
      JSON.parse(raw),
    );
  });

  test('that is no object has structuredContent for modern clients only (R21)', async () => {
    answers('shaped', '[1]', { headers: { 'content-type': 'application/json' } });
    expect((await ada.tool('notes_shaped')).result.structuredContent).toEqual([1]);
    const session = await ada.initialize();
    expect((await session.tool('notes_shaped')).result.structuredContent).toBeUndefined();
    answers('shaped', { content: [], structuredContent: [1], isError: false, 'x-own': 1 }, mcp);
    expect((await ada.tool('notes_shaped')).result).toMatchObject({ structuredContent: [1], 'x-own': 1 });
    const { result } = await session.tool('notes_shaped');
    expect(result).toEqual({ content: [], isError: false, 'x-own': 1 });
  });

  test('in MCP shape passes as it came: unknown content types, keys and _meta', async () => {
    const content = [
      { type: 'hologram', 'x-y': { z: [null] } },
      { type: 'text', text: 'a', annotations: { own: 1 }, _meta: { k: 1 } },
    ];
    answers('open', { content, isError: true, unknown: 1, _meta: { 'com.example/a': 1 } }, mcp);
    for (const answer of [await ada.tool('notes_open'), await (await ada.initialize()).tool('notes_open')])
      expect(answer.result).toMatchObject({
        content,
        isError: true,
        unknown: 1,
        _meta: { 'com.example/a': 1 },
      });
  });

  test.each([['"text"'], ['[]'], ['{}'], ['{"structuredContent":{"content":[]}}'], ['{"content":"x"}']])(
    '%s in MCP shape is no result: an isError result instead',
    async (body) => {
      answers('open', body, { headers: { ...mcp.headers, 'content-type': 'application/json' } });
      const answer = await ada.tool('notes_open');
      expect(answer.isError).toBe(true);
      expect(detailOf(answer)).toMatchObject({ reason: 'not_json' });
    },
  );
});

describe('a refusal before the backend (R25)', () => {
  test.each([
    ['tools/call', { name: 7 }, 'name must be a string'],
    ['tools/call', {}, 'name must be a string'],
    ['tools/call', { name: 'notes_open', arguments: [] }, 'arguments must be an object'],
    ['prompts/get', { name: 1 }, 'name must be a string'],
    ['prompts/get', { name: 'notes_p', arguments: 'x' }, 'arguments must be an object'],
    ['resources/read', { uri: null }, 'uri must be a string'],
    ['completion/complete', { ref: 'x' }, 'ref must be an object'],
    [
      'completion/complete',
      { ref: { type: 'ref/tool' }, argument: { name: 'a', value: 'b' } },
      'ref must be a ref/prompt or a ref/resource',
    ],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'notes_p' }, argument: { name: 'a' } },
      'argument must hold a name and a value',
    ],
  ])('%s with %j is -32602', async (method, params, detail) => {
    const answer = await ada.modern(method, params);
    expect(answer.status).toBe(400);
    expect(answer.error).toEqual({ code: -32602, message: `Invalid params: ${detail}` });
  });

  test('a hidden tool, prompt or resource gets byte for byte what an unknown one gets, in both eras (R36)', async () => {
    const session = await ada.initialize();
    const same = async (
      method: string,
      hidden: JsonObject,
      unknown: JsonObject,
      ...names: [string, string]
    ) => {
      for (const ask of [ada.modern, session.request]) {
        const [one, other] = [await ask(method, hidden, { id: 1 }), await ask(method, unknown, { id: 1 })];
        expect(one.text.replaceAll(names[0], names[1])).toBe(other.text);
        expect(one.status).toBe(other.status);
        expect([...one.headers]).toEqual([...other.headers]);
      }
    };
    await same('tools/call', { name: 'notes_both' }, { name: 'notes_gone' }, 'notes_both', 'notes_gone');
    await same(
      'tools/call',
      { name: 'notes_nobody' },
      { name: 'notes_gonebody' },
      'notes_nobody',
      'notes_gonebody',
    );
    await same(
      'prompts/get',
      { name: 'notes_hidden' },
      { name: 'notes_gone__' },
      'notes_hidden',
      'notes_gone__',
    );
    await same(
      'resources/read',
      { uri: 'note://hidden' },
      { uri: 'note://gone__' },
      'note://hidden',
      'note://gone__',
    );
    const argument = { name: 'a', value: '' };
    const ref = (name: string) => ({ ref: { type: 'ref/prompt', name }, argument });
    await same(
      'completion/complete',
      ref('notes_hidden'),
      ref('notes_gone__'),
      'notes_hidden',
      'notes_gone__',
    );
    expect(running.backend('notes').callsOf('both')).toHaveLength(0);
  });
});

describe('a failure of the backend (R25)', () => {
  test.each([
    [403, { error: 'only the owner' }, 'only the owner', { reason: 'denied', status: 403 }],
    [
      409,
      { error: 'taken', by: 'x' },
      'taken',
      { reason: 'invalid', status: 409, body: { error: 'taken', by: 'x' } },
    ],
    [422, { error: 'bad date' }, 'bad date', { reason: 'invalid', status: 422 }],
    [500, { error: 'closed on Sundays' }, 'closed on Sundays', { reason: 'business_error', status: 500 }],
    [401, {}, 'did not accept the token', { reason: 'token_refused', status: 401 }],
    [502, 'oops', 'failed', { reason: 'failed', status: 502 }],
    [200, 'not json', 'could not be read', { reason: 'not_json' }],
  ])('%i %j is an isError result that says %s', async (status, body, said, detail) => {
    answers('open', body, { status });
    const answer = await ada.tool('notes_open');
    expect([answer.status, answer.isError]).toEqual([200, true]);
    expect(answer.said).toContain(said);
    expect(detailOf(answer)).toMatchObject(detail);
    expect(answer.text).not.toContain('127.0.0.1');
  });

  test('429 says when to go on', async () => {
    answers('open', { error: 'slow down' }, { status: 429, headers: { 'retry-after': '7' } });
    expect(detailOf(await ada.tool('notes_open'))).toMatchObject({
      reason: 'rate_limited',
      retryAfterSeconds: 7,
    });
  });

  test('of a prompt or resource is a JSON-RPC error: not found is unknown, a mistake is -32602, the rest -32603', async () => {
    const read = () => ada.modern('resources/read', { uri: 'note://1' });
    const prompt = () => ada.modern('prompts/get', { name: 'notes_p' });
    answers('read_resource', { error: 'gone' }, { status: 404 });
    expect((await read()).error).toEqual({
      code: -32602,
      message: 'Resource not found',
      data: { uri: 'note://1' },
    });
    answers('get_prompt', { error: 'gone' }, { status: 404 });
    expect((await prompt()).error).toEqual({ code: -32602, message: 'Unknown prompt: notes_p' });
    answers('get_prompt', { error: 'x is needed' }, { status: 422 });
    expect((await prompt()).error).toEqual({ code: -32602, message: 'Invalid params: x is needed' });
    answers('get_prompt', { error: 'not yours' }, { status: 403 });
    expect((await prompt()).error).toEqual({ code: -32603, message: 'not yours' });
    answers('get_prompt', { nothing: 1 });
    expect((await prompt()).error).toEqual({
      code: -32603,
      message: 'The answer of the backend has no list named messages.',
    });
    answers('read_resource', [1]);
    expect((await read()).error.message).toBe('The answer of the backend has no list named contents.');
  });
});

describe('what the application keeps for itself', () => {
  test('completion goes to the owner of the reference, under its own name; a backend without any has no values', async () => {
    const ask = (value: string) =>
      ada.modern('completion/complete', {
        ref: { type: 'ref/prompt', name: 'notes_p' },
        argument: { name: 'a', value },
      });
    answers('complete', { error: 'unknown method' }, { status: 404 });
    expect((await ask('x')).result.completion).toEqual({ values: [] });
    answers('complete', { values: Array.from({ length: 150 }, (_, index) => `v${index}`), total: 150 });
    const { completion } = (await ask('v')).result;
    expect(completion).toMatchObject({ total: 150, hasMore: true });
    expect(objectAt({ completion }, 'completion').values).toHaveLength(100);
    expect(running.backend('notes').callsOf('complete').at(-1)?.params).toMatchObject({ ref: { name: 'p' } });
    answers('complete', {}, { status: 502 });
    expect((await ask('v')).error.code).toBe(-32603);
  });

  test('resources and prompts pass as they came, without the envelope’s own keys', async () => {
    const contents = [{ uri: 'note://1', text: 'a', 'x-own': 1 }];
    answers('read_resource', { contents, ttlMs: 9, cacheScope: 'public', resultType: 'x', own: 1 });
    const read = await ada.modern('resources/read', { uri: 'note://1' });
    expect(read.result).toMatchObject({
      contents,
      ttlMs: 0,
      cacheScope: 'private',
      resultType: 'complete',
      own: 1,
    });
    const session = await ada.initialize();
    expect((await session.request('resources/read', { uri: 'note://1' })).result).toEqual({
      contents,
      own: 1,
    });
  });
});
