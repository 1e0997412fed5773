import { describe, expect, test } from 'vitest';
import type { PeerAnswer, PeerQuestion } from '#backends/backend.ts';
import type { JsonObject } from '#kernel/json.ts';
import { prompt, resource, tool } from '../catalog/samples.ts';
import { createScriptedServer, listed, said } from '../support/scripted-server.ts';
import { createEdge } from './support/edge.ts';

const scopes = ['mcp:lin'];
const who: PeerQuestion = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: {} } };
const pageOf: PeerQuestion = {
  method: 'elicitation/create',
  params: { mode: 'url', url: 'https://x.example' },
};
const sample: PeerQuestion = { method: 'sampling/createMessage', params: { messages: [], maxTokens: 5 } };
const withTools: PeerQuestion = { method: 'sampling/createMessage', params: { messages: [], tools: [] } };
const roots: PeerQuestion = { method: 'roots/list', params: {} };

async function asking(...questions: readonly PeerQuestion[]) {
  const server = createScriptedServer('lin');
  const edge = await createEdge({ servers: [{ server }] });
  server.lists(
    'ada',
    listed({
      tools: [tool('ask', { scopes }), tool('odd', { scopes })],
      prompts: [prompt('p', scopes)],
      resources: [resource('lin://lin/1', scopes)],
    }),
  );
  const answers: PeerAnswer[] = [];
  server.answer(async ({ context }) => {
    for (const question of questions) {
      const answer = await context.ask?.(question);
      if (answer !== undefined) answers.push(answer);
    }
    return said(`${answers.length} answers`);
  });
  return {
    server,
    edge,
    answers,
    ada: edge.caller('ada', 'mcp:lin'),
    [Symbol.asyncDispose]: () => edge[Symbol.asyncDispose](),
  };
}

describe('a server that asks in the middle of a legacy client’s call (R29)', () => {
  test('is forwarded on the stream of that call, under an id of ours, and gets the answer', async () => {
    await using world = await asking(who, sample);
    const session = await world.ada.initialize({ capabilities: { elicitation: {}, sampling: {} } });
    const stream = await session.stream('tools/call', { name: 'lin_ask' });
    const first = await stream.next();
    expect(first).toMatchObject({
      method: who.method,
      params: who.params,
      id: expect.stringMatching(/^cortex-/),
    });
    await session.respond(first.id, { action: 'accept', content: { name: 'Ada' } });
    const second = await stream.next();
    expect(second).toMatchObject({ method: sample.method });
    await session.post({ jsonrpc: '2.0', id: second.id, error: { code: -1, message: 'no' } });
    expect(JSON.stringify(await stream.next())).toContain('2 answers');
    expect(world.answers).toEqual([
      { result: { action: 'accept', content: { name: 'Ada' } }, error: undefined },
      { result: undefined, error: { code: -1, message: 'no' } },
    ]);
  });

  const refused: readonly (readonly [PeerQuestion, JsonObject, number])[] = [
    [who, {}, -32602],
    [who, { elicitation: { url: {} } }, -32602],
    [pageOf, { elicitation: {} }, -32602],
    [sample, { elicitation: {} }, -32602],
    [withTools, { sampling: {} }, -32602],
    [roots, { sampling: {} }, -32602],
    [{ method: 'tools/list', params: {} }, { elicitation: {}, sampling: {}, roots: {} }, -32601],
    [{ method: 'notifications/x', params: {} }, { elicitation: {} }, -32601],
  ];
  test.each(refused)(
    'what the client did not declare is never asked: %j to %j',
    async (question, capabilities, code) => {
      await using world = await asking(question);
      const session = await world.ada.initialize({ capabilities });
      const answer = await session.tool('lin_ask');
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(answer.said).toBe('1 answers');
      expect(world.answers[0]).toMatchObject({ result: undefined, error: { code } });
    },
  );

  test('is refused where the client takes no stream, and in a batch', async () => {
    await using world = await asking(who);
    const session = await world.ada.initialize({ revision: '2025-03-26', capabilities: { elicitation: {} } });
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'lin_ask' } };
    await session.request('tools/call', { name: 'lin_ask' }, { headers: { accept: 'application/json' } });
    await session.post([call]);
    expect(world.answers.map(({ error }) => error?.code)).toEqual([-32602, -32602]);
  });

  test('is refused beyond 64 questions in one call', async () => {
    await using world = await asking(...Array.from({ length: 66 }, () => who));
    const session = await world.ada.initialize({ capabilities: { elicitation: {} } });
    const stream = await session.stream('tools/call', { name: 'lin_ask' });
    for (let asked = 0; asked < 64; asked++)
      await session.respond((await stream.next()).id, { action: 'decline' });
    await stream.rest();
    expect(world.answers.filter(({ error }) => error !== undefined)).toHaveLength(2);
  });

  test('is let go of when the call is cancelled, and asks no more', async () => {
    await using world = await asking(who, who);
    const session = await world.ada.initialize({ capabilities: { elicitation: {} } });
    const stream = await session.stream('tools/call', { name: 'lin_ask' }, { id: 9 });
    await stream.next();
    await session.notify('notifications/cancelled', { requestId: 9 });
    expect(await stream.rest()).toEqual([]);
    expect(world.answers).toEqual([
      { result: undefined, error: undefined },
      { result: undefined, error: undefined },
    ]);
  });

  test('cannot be answered by another person’s session', async () => {
    await using world = await asking(who);
    const session = await world.ada.initialize({ capabilities: { elicitation: {} } });
    const bob = await world.edge.caller('bob', 'mcp:lin').initialize({ capabilities: { elicitation: {} } });
    const stream = await session.stream('tools/call', { name: 'lin_ask' });
    const asked = await stream.next();
    await bob.respond(asked.id, { action: 'accept', content: { name: 'Bob' } });
    expect(world.answers).toEqual([]);
    await session.respond(asked.id, { action: 'decline' });
    await stream.rest();
    expect(world.answers[0]?.result).toEqual({ action: 'decline' });
  });

  test('a modern client is not asked so: the server is told to park', async () => {
    await using world = await asking(who);
    await world.ada.tool('lin_ask', {}, { capabilities: { elicitation: {} } });
    expect(world.server.calls[0]?.context.ask).toBeUndefined();
  });
});

describe('a parked question (R27, R28)', () => {
  const capabilities = { elicitation: {} };
  const methods = [
    ['tools/call', { name: 'lin_ask', arguments: {} }, said('done')],
    ['prompts/get', { name: 'lin_p' }, { kind: 'mcp', text: '{"messages":[]}' }],
    ['resources/read', { uri: 'lin://lin/1' }, { kind: 'mcp', text: '{"contents":[]}' }],
  ] as const;

  test.each(methods)(
    'passes for %s: its id is sealed, and comes back with the answer',
    async (method, params, done) => {
      await using world = await asking();
      world.server.answer(() => ({
        kind: 'input_required',
        inputRequests: { q: { ...who } },
        requestState: 'park-1',
      }));
      const asked = await world.ada.modern(method, params, { capabilities });
      expect(asked.result).toMatchObject({ resultType: 'input_required', inputRequests: { q: who } });
      expect(asked.text).not.toContain('park-1');
      world.server.answer(() => done);
      const inputResponses = { q: { action: 'accept', content: { name: 'Ada' } } };
      const requestState = String(asked.result.requestState);
      const retried = await world.ada.modern(
        method,
        { ...params, inputResponses, requestState },
        { capabilities },
      );
      expect(retried.result.resultType).toBe('complete');
      expect(world.server.calls.at(-1)?.context).toMatchObject({ requestState: 'park-1', inputResponses });
    },
  );

  test.each(methods)('that is lost is a clear -32602 for %s', async (method, params) => {
    await using world = await asking();
    world.server.answer(() => ({
      kind: 'input_required',
      inputRequests: { q: { ...who } },
      requestState: 'park-1',
    }));
    const asked = await world.ada.modern(method, params, { capabilities });
    world.server.answer(() => 'state_lost');
    const requestState = String(asked.result.requestState);
    const retried = await world.ada.modern(
      method,
      { ...params, inputResponses: { q: {} }, requestState },
      { capabilities },
    );
    expect([retried.status, retried.error]).toEqual([
      400,
      { code: -32602, message: 'Invalid requestState: start the request again without it' },
    ]);
    expect(world.edge.records.at(-1)).toMatchObject({ outcome: 'refused', code: 'state_invalid' });
  });

  test('outside what the client declared is never asked', async () => {
    await using world = await asking();
    for (const question of [who, pageOf, sample, withTools, roots]) {
      world.server.answer(() => ({
        kind: 'input_required',
        inputRequests: { q: { ...question } },
        requestState: 'p',
      }));
      const answer = await world.ada.tool('lin_ask', {}, { capabilities: {} });
      expect([answer.status, answer.error.code]).toEqual([400, -32021]);
    }
  });
});

describe('the arguments of a native tool', () => {
  test('may be called as the contract’s own words are', async () => {
    await using world = await asking();
    const args = { inputResponses: 1, requestState: { a: 1 } };
    expect((await world.ada.tool('lin_odd', args)).isError).toBe(false);
    expect(world.server.calls.at(-1)?.args).toEqual(args);
  });
});

describe('log messages of a native server (R26)', () => {
  test('the level that the client wants goes along, in either era', async () => {
    await using world = await asking();
    const session = await world.ada.initialize();
    await world.ada.tool('lin_ask');
    await world.ada.tool('lin_ask', {}, { meta: { 'io.modelcontextprotocol/logLevel': 'warning' } });
    await session.request('logging/setLevel', { level: 'error' });
    await session.tool('lin_ask');
    expect(world.server.calls.map(({ context }) => context.logLevel)).toEqual([
      undefined,
      'warning',
      'error',
    ]);
  });
});
