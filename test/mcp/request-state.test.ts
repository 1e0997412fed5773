import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '#kernel/json.ts';
import type { McpCaller } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

const who = { method: 'elicitation/create', params: { message: 'Who?' } };
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
  running
    .backend('notes')
    .answer('ask', ({ params }) =>
      params.inputResponses === undefined
        ? Response.json({ resultType: 'input_required', inputRequests: { who }, requestState: 'secret' })
        : Response.json({}),
    );
});
afterAll(() => running.close());

describe('a request state (R28)', () => {
  async function sealed(): Promise<string> {
    const { requestState } = (await ada.tool('notes_ask', { a: 1, b: 2 }, { capabilities: canForm })).result;
    return String(requestState);
  }
  const retry = (
    caller: McpCaller,
    requestState: unknown,
    name = 'notes_ask',
    args: JsonObject = { a: 1, b: 2 },
  ) =>
    caller.modern(
      'tools/call',
      JSON.parse(JSON.stringify({ name, arguments: args, inputResponses: answered, requestState })),
      { capabilities: canForm },
    );
  const refusal = { code: -32602, message: 'Invalid requestState: start the request again without it' };

  test('is good for the same request, whatever the order of its arguments, more than once', async () => {
    const state = await sealed();
    expect((await retry(ada, state)).error).toEqual({});
    expect((await retry(ada, state, 'notes_ask', { b: 2, a: 1 })).error).toEqual({});
  });

  test('is refused from another user, another client, for another tool, other arguments, or another method', async () => {
    const state = await sealed();
    const before = running.backend('notes').calls.length;
    const bob = await running.caller({ sub: 'bob', scope: 'mcp:test' });
    const elsewhere = await running.caller({ sub: 'ada', scope: 'mcp:test', client_id: 'other' });
    const answers = [
      await retry(bob, state),
      await retry(elsewhere, state),
      await retry(ada, state, 'notes_other'),
      await retry(ada, state, 'notes_ask', { a: 1, b: 3 }),
      await retry(ada, state, 'notes_ask', {}),
      await ada.modern('prompts/get', { name: 'notes_p', requestState: state }),
      await ada.modern('resources/read', { uri: 'note://1', requestState: state }),
    ];
    for (const { status, error } of answers) expect([status, error]).toEqual([400, refusal]);
    expect(running.backend('notes').calls).toHaveLength(before);
  });

  test('is refused when it was changed, cut, invented, or is no text', async () => {
    const state = await sealed();
    const flipped = `${state.slice(0, 30)}${state[30] === 'A' ? 'B' : 'A'}${state.slice(31)}`;
    for (const bad of [flipped, state.slice(0, -4), `${state}A`, '', 'e30', 7, {}, null])
      expect((await retry(ada, bad)).error).toEqual(refusal);
  });

  test('is refused after ten minutes', async () => {
    const state = await sealed();
    running.clock.advance(9 * 60_000);
    expect((await retry(ada, state)).error).toEqual({});
    running.clock.advance(61_000);
    expect((await retry(ada, state)).error).toEqual(refusal);
  });
});
