import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '#kernel/json.ts';
import { type McpCaller, objectAt } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { stopwatch } from '../support/stopwatch.ts';

const logLevelKey = 'io.modelcontextprotocol/logLevel';
let running: RunningGateway;
let ada: McpCaller;

function streamed(events: readonly (readonly [string, unknown])[]): Response {
  const text = events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('');
  return new Response(text, { headers: { 'content-type': 'text/event-stream', 'X-Cortex-Result': 'mcp' } });
}

beforeAll(async () => {
  running = await runGateway({
    backends: {
      notes: {
        tools: [
          { name: 'work', scope: 'mcp:test' },
          { name: 'slow', scope: 'mcp:test' },
        ],
        config: { timeout: '300ms' },
      },
    },
  });
  ada = await running.caller({ scope: 'mcp:test' });
  running.backend('notes').answer('work', ({ headers }) =>
    headers.get('accept')?.includes('text/event-stream')
      ? streamed([
          ['progress', { progress: 1, total: 3, message: 'one' }],
          ['log', { level: 'debug', data: 'detail' }],
          ['log', { level: 'warning', logger: 'db', data: { slow: true } }],
          ['progress', { progress: 1 }],
          ['progress', { progress: 2, total: 3 }],
          ['result', { content: [{ type: 'text', text: 'done' }] }],
        ])
      : Response.json(
          { content: [{ type: 'text', text: 'done' }] },
          { headers: { 'X-Cortex-Result': 'mcp' } },
        ),
  );
});
afterAll(() => running.close());

const notifications = (messages: readonly JsonObject[]) =>
  messages.slice(0, -1).map(({ method, params }) => [method, params]);
const progress = (progressToken: string | number) => [
  ['notifications/progress', { progressToken, progress: 1, total: 3, message: 'one' }],
  ['notifications/progress', { progressToken, progress: 2, total: 3 }],
];
const log = (level: string, rest: JsonObject) => ['notifications/message', { level, ...rest }];

describe('what a tool says while it works (R26)', () => {
  test('comes under the client’s own token, growing, and only where it asked', async () => {
    const stream = await ada.modernStream(
      'tools/call',
      { name: 'notes_work' },
      { meta: { progressToken: 'mine' }, id: 5 },
    );
    const messages = await stream.rest();
    expect(notifications(messages)).toEqual(progress('mine'));
    expect(messages.at(-1)).toMatchObject({ id: 5, result: { content: [{ text: 'done' }] } });
    const silent = await ada.tool('notes_work');
    expect([silent.headers.get('content-type'), silent.said]).toEqual(['application/json', 'done']);
  });

  test('a token of no use is as good as none', async () => {
    for (const progressToken of [null, {}, true, 1.5, 'x'.repeat(1_025)]) {
      const answer = await ada.tool('notes_work', {}, { meta: { progressToken } });
      expect(answer.headers.get('content-type')).toBe('application/json');
    }
  });

  test('log messages reach a modern client only if its request asked, from its level on', async () => {
    const ask = async (level: string) =>
      notifications(
        await (
          await ada.modernStream('tools/call', { name: 'notes_work' }, { meta: { [logLevelKey]: level } })
        ).rest(),
      );
    expect(await ask('debug')).toEqual([
      log('debug', { data: 'detail' }),
      log('warning', { logger: 'db', data: { slow: true } }),
    ]);
    expect(await ask('warning')).toEqual([log('warning', { logger: 'db', data: { slow: true } })]);
    const bad = await ada.tool('notes_work', {}, { meta: { [logLevelKey]: 'loud' } });
    expect([bad.status, bad.error.code]).toEqual([400, -32602]);
  });

  test('a session hears from its own level on, on the stream of the POST and not on its GET stream', async () => {
    const session = await ada.initialize();
    const other = await session.events();
    const call = async () =>
      notifications(
        await (
          await session.stream('tools/call', { name: 'notes_work' }, { meta: { progressToken: 9 } })
        ).rest(),
      );
    expect(await call()).toEqual([
      progress(9)[0],
      log('warning', { logger: 'db', data: { slow: true } }),
      progress(9)[1],
    ]);
    await session.request('logging/setLevel', { level: 'error' });
    expect(await call()).toEqual(progress(9));
    expect(await other.within(20)).toEqual([]);
    await other.close();
  });

  test('a client that takes no stream gets the result alone', async () => {
    const answer = await ada.tool(
      'notes_work',
      {},
      { headers: { accept: 'application/json' }, meta: { progressToken: 1 } },
    );
    expect([answer.headers.get('content-type'), answer.said]).toEqual(['application/json', 'done']);
  });
});

describe('a call that takes long', () => {
  test('has a deadline, progress or not (R15)', async () => {
    running.backend('notes').answer('slow', ({ signal }) => {
      const body = new ReadableStream<Uint8Array>({
        async start(controller) {
          for (let step = 1; !signal.aborted && step < 100; step++) {
            controller.enqueue(new TextEncoder().encode(`event: progress\ndata: {"progress":${step}}\n\n`));
            await Bun.sleep(20);
          }
        },
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    });
    const elapsedMs = stopwatch();
    const stream = await ada.modernStream(
      'tools/call',
      { name: 'notes_slow' },
      { meta: { progressToken: 1 } },
    );
    const messages = await stream.rest();
    expect(elapsedMs()).toBeLessThan(2_000);
    expect(messages.length).toBeGreaterThan(3);
    expect(objectAt(messages.at(-1) ?? {}, 'result').isError).toBe(true);
    expect(JSON.stringify(messages.at(-1))).toContain('"reason":"timeout"');
  });

  test('becomes a stream with comments, so that no proxy takes the silence for a dead connection (R13)', async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    await using patient = await runGateway({
      backends: { notes: { tools: [{ name: 'slow', scope: 'mcp:test' }], config: { timeout: '60s' } } },
    });
    patient.backend('notes').answer('slow', () => promise);
    const answering = (await patient.caller({ scope: 'mcp:test' })).modernStream('tools/call', {
      name: 'notes_slow',
    });
    await Bun.sleep(50);
    patient.clock.advance(10_000);
    const stream = await answering;
    expect(stream.response.headers.get('x-accel-buffering')).toBe('no');
    patient.clock.advance(12_000);
    await Bun.sleep(1_100);
    expect(stream.comments).toEqual([': keep-alive']);
    resolve(Response.json({ late: true }));
    expect(JSON.stringify(await stream.rest())).toContain('late');
  });
});
