import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '#kernel/json.ts';
import type { CapturedCall } from '../support/capturing-backend.ts';
import { type McpCaller, readAnswer } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

const who = {
  method: 'elicitation/create',
  params: { message: 'Who?', requestedSchema: { type: 'object' } },
};
const sample = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 5 } };
const answered = { who: { action: 'accept', content: { name: 'Ada' } } };
const canForm = { elicitation: {} };
let running: RunningGateway;
let ada: McpCaller;

beforeAll(async () => {
  running = await runGateway({
    backends: {
      notes: {
        tools: [
          { name: 'ask', scope: 'mcp:test' },
          { name: 'other', scope: 'mcp:test' },
        ],
        prompts: [{ name: 'p', scope: 'mcp:test' }],
        resources: [{ uri: 'note://1', name: 'One', scope: 'mcp:test' }],
      },
    },
  });
  ada = await running.caller({ sub: 'ada', scope: 'mcp:test' });
});
afterAll(() => running.close());

/** The backend asks `inputRequests` until it is answered; then it gives `done`. */
function asks(
  inputRequests: JsonObject | undefined,
  done: JsonObject = { ok: true },
  requestState?: string,
): void {
  const answer = ({ params }: CapturedCall) =>
    params.inputResponses === undefined
      ? Response.json({ resultType: 'input_required', inputRequests, requestState })
      : Response.json(done);
  for (const method of ['ask', 'get_prompt', 'read_resource', 'get_help', 'whoami', 'complete'])
    running.backend('notes').answer(method, answer);
}
const lastCall = (method: string) => running.backend('notes').callsOf(method).at(-1);

describe('a question to a modern client (R27)', () => {
  test.each([
    ['tools/call', { name: 'notes_ask', arguments: { a: 1 } }, { ok: true }, 'ask'],
    ['prompts/get', { name: 'notes_p', arguments: { a: '1' } }, { messages: [] }, 'get_prompt'],
    ['resources/read', { uri: 'note://1' }, { contents: [] }, 'read_resource'],
  ])(
    'is relayed as it came, and the retry of %s reaches the backend with its own state',
    async (method, params, done, own) => {
      asks({ who, again: sample }, done, 'the backend’s state');
      const capabilities = { elicitation: {}, sampling: {} };
      const asked = await ada.modern(method, params, { capabilities });
      expect(asked.status).toBe(200);
      const { requestState } = asked.result;
      expect(asked.result).toEqual({
        resultType: 'input_required',
        inputRequests: { who, again: sample },
        requestState: expect.any(String),
        _meta: { 'io.modelcontextprotocol/serverInfo': expect.anything() },
      });
      expect(requestState).not.toContain('state');
      const told = await ada.modern(
        method,
        { ...params, inputResponses: answered, requestState: requestState ?? '' },
        { capabilities },
      );
      expect(told.result.resultType).toBe('complete');
      expect(lastCall(own)?.params).toMatchObject({
        inputResponses: answered,
        requestState: 'the backend’s state',
      });
      expect(lastCall(own)?.headers.get('x-cortex-client-capabilities')).toBe('elicitation sampling');
    },
  );

  test('without questions, with a state alone, is passed on too', async () => {
    asks(undefined, {}, 's');
    const { result } = await ada.tool('notes_ask', {}, { capabilities: canForm });
    expect(Object.keys(result).sort()).toEqual(['_meta', 'requestState', 'resultType']);
  });

  test.each([
    [{ who }, {}, { elicitation: { form: {} } }],
    [{ who }, { elicitation: { url: {} } }, { elicitation: { form: {} } }],
    [{ who }, { sampling: {} }, { elicitation: { form: {} } }],
    [
      { who: { ...who, params: { mode: 'url', url: 'https://x.example' } } },
      canForm,
      { elicitation: { url: {} } },
    ],
    [{ s: sample, r: { method: 'roots/list' } }, canForm, { sampling: {}, roots: {} }],
    [{ s: { ...sample, params: { tools: [] } } }, { sampling: {} }, { sampling: { tools: {} } }],
  ])(
    'that the client did not declare is 400 and -32021: %j to %j',
    async (questions, capabilities, requiredCapabilities) => {
      asks(questions);
      const answer = await ada.tool('notes_ask', {}, { capabilities, id: 5 });
      expect(answer.status).toBe(400);
      expect(answer.message).toEqual({
        jsonrpc: '2.0',
        id: 5,
        error: {
          code: -32021,
          message: 'The client lacks a capability that this needs',
          data: { requiredCapabilities },
        },
      });
    },
  );

  test('of another kind is an isError result, and so is one on a method that may not ask', async () => {
    asks({ x: { method: 'tools/call', params: {} } });
    const odd = await ada.tool('notes_ask', {}, { capabilities: canForm });
    expect([odd.isError, odd.said]).toEqual([true, 'notes cannot finish: it may not ask "tools/call"']);
    asks({ x: 'text' });
    expect((await ada.tool('notes_ask', {}, { capabilities: canForm })).said).toContain('malformed');
    asks({ who });
    expect((await ada.tool('notes_get_help', {}, { capabilities: canForm })).isError).toBe(true);
    const ref = { type: 'ref/prompt', name: 'notes_p' };
    const completed = await ada.modern('completion/complete', { ref, argument: { name: 'a', value: '' } });
    expect(completed.result.resultType).not.toBe('input_required');
  });

  test('extensions are not offered to the backend', async () => {
    asks({ who });
    const capabilities = {
      elicitation: {},
      tasks: {},
      extensions: { 'com.example/x': {} },
      experimental: {},
    };
    await ada.tool('notes_ask', {}, { capabilities });
    expect(lastCall('ask')?.headers.get('x-cortex-client-capabilities')).toBe('elicitation');
  });

  test.each([7, [], { who: 'Ada' }, null])(
    'answers of the shape %j are 400 and -32602',
    async (inputResponses) => {
      const answer = await ada.modern(
        'tools/call',
        { name: 'notes_ask', inputResponses },
        { capabilities: canForm },
      );
      expect([answer.status, answer.error.code]).toEqual([400, -32602]);
    },
  );

  test('an MCP-shaped answer with an unknown resultType is an isError result', async () => {
    running
      .backend('notes')
      .answer('ask', () =>
        Response.json({ resultType: 'task', content: [] }, { headers: { 'X-Cortex-Result': 'mcp' } }),
      );
    const answer = await ada.tool('notes_ask');
    expect([answer.isError, answer.said]).toEqual([
      true,
      'notes answered with something unusable: its result has an unknown resultType',
    ]);
  });
});

describe('a question to a client of the older protocol (R29)', () => {
  test('comes as a request on the stream of its own POST; the posted answer finishes the call', async () => {
    asks({ who, again: sample }, { hello: 'Ada' }, 'state');
    const session = await ada.initialize({ capabilities: { elicitation: {}, sampling: {} } });
    const other = await session.events();
    const stream = await session.stream('tools/call', { name: 'notes_ask' }, { id: 77 });
    const questions = [await stream.next(), await stream.next()];
    expect(questions.map(({ method }) => method).sort()).toEqual([who.method, sample.method]);
    expect(questions.find(({ method }) => method === who.method)?.params).toEqual(who.params);
    for (const { id, method } of questions) {
      const given =
        method === who.method ? answered.who : { role: 'assistant', content: { type: 'text', text: 'x' } };
      expect((await session.respond(id, given)).status).toBe(202);
    }
    const [final] = await stream.rest();
    expect(final).toMatchObject({ id: 77, result: { content: [{ type: 'text', text: '{"hello":"Ada"}' }] } });
    expect(lastCall('ask')?.params).toMatchObject({
      inputResponses: { who: answered.who },
      requestState: 'state',
    });
    expect(await other.within(20)).toEqual([]);
    await other.close();
  });

  test('an answer from another user’s session, or from another session of the same user, does nothing', async () => {
    asks({ who }, { hello: 'Ada' });
    const session = await ada.initialize({ capabilities: canForm });
    const stream = await session.stream('tools/call', { name: 'notes_ask' });
    const { id } = await stream.next();
    const bob = await (await running.caller({ sub: 'bob', scope: 'mcp:test' })).initialize({
      capabilities: canForm,
    });
    const forged = { action: 'accept', content: { name: 'Mallory' } };
    for (const stranger of [bob, await ada.initialize()])
      expect((await stranger.respond(id, forged)).status).toBe(202);
    expect(await stream.within(50)).toEqual([]);
    await session.respond(id, answered.who);
    await stream.rest();
    expect(JSON.stringify(lastCall('ask')?.params)).not.toContain('Mallory');
    expect((await session.respond(id, forged)).status).toBe(202);
  });

  test('that was declined with an error, or that the client cannot be asked, is an isError result', async () => {
    asks({ who });
    const session = await ada.initialize({ capabilities: canForm });
    const stream = await session.stream('tools/call', { name: 'notes_ask' });
    const { id } = await stream.next();
    await session.post({ jsonrpc: '2.0', id, error: { code: -1, message: 'no' } });
    const [final] = await stream.rest();
    expect(JSON.stringify(final)).toContain('the question to the user was not answered');
    const mute = await ada.initialize();
    expect((await mute.tool('notes_ask')).said).toContain(
      'asks the user something that this client cannot show',
    );
    const noStream = await session.tool('notes_ask', {}, { headers: { accept: 'application/json' } });
    expect(noStream.said).toContain('cannot show');
  });

  test('a backend that asks without end is stopped', async () => {
    let asked = 0;
    running.backend('notes').answer('ask', () => {
      asked += 1;
      return Response.json({ resultType: 'input_required', inputRequests: { who } });
    });
    const session = await ada.initialize({ capabilities: canForm });
    const stream = await session.stream('tools/call', { name: 'notes_ask' });
    for (;;) {
      const message = await stream.next();
      if (message.method === undefined) {
        expect(JSON.stringify(message)).toContain('asks without end');
        break;
      }
      await session.respond(message.id, answered.who);
    }
    expect(asked).toBe(16);
  });

  test('prompts and resources ask the same way, and a cancelled question leaves nothing behind', async () => {
    asks({ who }, { messages: [] });
    const session = await ada.initialize({ capabilities: canForm });
    const stream = await session.stream('prompts/get', { name: 'notes_p' }, { id: 'c1' });
    const { id } = await stream.next();
    await session.notify('notifications/cancelled', { requestId: 'c1' });
    expect(await stream.rest()).toEqual([]);
    expect((await readAnswer(await session.respond(id, answered.who))).status).toBe(202);
    const [record] = await running.calls(1, ({ outcome }) => outcome === 'cancelled');
    expect(record).toMatchObject({ method: 'prompts/get', tool: 'notes_p', backend: 'notes' });
  });
});
