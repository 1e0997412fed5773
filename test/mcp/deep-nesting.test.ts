import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { McpCaller } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

/** Deeper than any recursion can follow. */
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
const json = { 'content-type': 'application/json' };
const mcp = { ...json, 'x-cortex-result': 'mcp' };
const stream = { 'content-type': 'text/event-stream' };

let running: RunningGateway;
let ada: McpCaller;
beforeAll(async () => {
  running = await runGateway({ backends: { notes: { tools: [{ name: 'echo', scope: 'mcp:test' }] } } });
  ada = await running.caller({ scope: 'mcp:test' });
});
afterAll(() => running.close());

const answerWith = (method: string, text: string, init: ResponseInit) =>
  running.backend('notes').answer(method, () => new Response(text, init));

describe('nesting without end', () => {
  test.each([
    ['the content', `{"content":[${deep}]}`],
    ['_meta', `{"content":[],"_meta":{"deep":${deep}}}`],
    ['a question', `{"resultType":"input_required","inputRequests":{"a":${deep}}}`],
  ])('in %s of a result is an answer that cannot be read', async (_, text) => {
    answerWith('echo', text, { headers: mcp });
    const answer = await ada.tool('notes_echo');
    expect(answer.said).toBe('The answer of the backend could not be read.');
  });

  test('in the body of an error leaves the error', async () => {
    answerWith('echo', `{"error":"no","detail":${deep.slice(70_000, -70_000)}}`, {
      status: 422,
      headers: json,
    });
    const answer = await ada.tool('notes_echo');
    expect(answer).toMatchObject({ status: 200, isError: true });
    expect(answer.text.length).toBeLessThan(1_000);
  });

  test('in a message on the way is not passed on', async () => {
    const log = `event: log\ndata: {"level":"error","data":${deep}}\n\n`;
    answerWith('echo', `${log}event: result\ndata: {"done":true}\n\n`, { headers: stream });
    const meta = { 'io.modelcontextprotocol/logLevel': 'debug' };
    expect((await ada.tool('notes_echo', {}, { meta })).said).toBe('{"done":true}');
  });

  test('in what a backend says of the caller makes whoami neither slow nor long', async () => {
    answerWith('whoami', deep, { headers: json });
    const answer = await ada.tool('whoami');
    expect(JSON.parse(answer.said)).toMatchObject({ applications: { notes: { unavailable: 'not_json' } } });
  });

  test('in a request is no JSON', async () => {
    const response = await ada.send({ method: 'POST', headers: json, body: `{"jsonrpc":"2.0","a":${deep}}` });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32700 } });
  });

  test('is no fault of the gateway', () => {
    expect(running.logged.filter(({ event }) => event.endsWith('.fault'))).toEqual([]);
  });
});
