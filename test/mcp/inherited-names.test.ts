import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { McpCaller } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

/** Names that every object of the language answers to. */
const inherited = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];

let running: RunningGateway;
let ada: McpCaller;
beforeAll(async () => {
  running = await runGateway({
    backends: {
      notes: { tools: [{ name: 'ask', scope: 'mcp:test' }], prompts: [{ name: 'p', scope: 'mcp:test' }] },
    },
  });
  ada = await running.caller({ scope: 'mcp:test constructor' });
});
afterAll(() => running.close());

describe.each(inherited)('%s', (name) => {
  test('is no tool, prompt, resource or method', async () => {
    const unknown = { code: -32602 };
    expect((await ada.tool(name)).error).toMatchObject(unknown);
    expect((await ada.modern('prompts/get', { name })).error).toMatchObject(unknown);
    expect((await ada.modern('resources/read', { uri: name })).error).toMatchObject(unknown);
    expect((await ada.modern(name)).error).toMatchObject({ code: -32601 });
    expect((await (await ada.initialize()).request(name)).error).toMatchObject({ code: -32601 });
  });

  test('is no question that an application may ask', async () => {
    const body = { resultType: 'input_required', inputRequests: { a: { method: name } } };
    running.backend('notes').answer('ask', () => Response.json(body));
    const answer = await ada.tool('notes_ask');
    expect(answer.said).toBe(`notes cannot finish: it may not ask "${name}"`);
  });

  test('is an argument like any other', async () => {
    running.backend('notes').answer('ask', () => Response.json({}));
    const args = JSON.parse(`{"${name}":{"a":1}}`);
    await ada.tool('notes_ask', args);
    expect(running.backend('notes').callsOf('ask').at(-1)?.text).toBe(
      `{"method":"ask","params":{"${name}":{"a":1}}}`,
    );
  });
});
