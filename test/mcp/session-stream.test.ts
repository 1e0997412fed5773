import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type McpCaller, readAnswer } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { stopwatch } from '../support/stopwatch.ts';

const open = { name: 'open', scope: 'mcp:test' };
let running: RunningGateway;
let ada: McpCaller;
beforeAll(async () => {
  running = await runGateway({
    backends: { notes: { tools: [open] } },
    config: { limits: { streams_per_principal: 2 } },
  });
  ada = await running.caller({ sub: 'ada', scope: 'mcp:test' });
});
afterAll(() => running.close());

let toggle = 0;
async function change(): Promise<void> {
  toggle += 1;
  running.backend('notes').setTools([open, { name: `t${toggle}`, scope: 'mcp:test' }]);
  await running.gateway.catalog.poll();
}

describe('the GET stream of a session (R12)', () => {
  test('is an event stream that no proxy may buffer (R13)', async () => {
    const session = await ada.initialize();
    const stream = await session.events();
    expect(Object.fromEntries(stream.response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'mcp-session-id': session.id,
    });
    await stream.close();
  });

  test('begins at once for clients that wait for its first byte before they take it for open', async () => {
    const origin = running.listen();
    const atSocket = (request: Request) => {
      const { pathname, search } = new URL(request.url);
      return fetch(new Request(`${origin}${pathname}${search}`, request));
    };
    const caller = await running.caller({ sub: 'bob', scope: 'mcp:test' }, atSocket);
    const session = await caller.initialize();
    const elapsedMs = stopwatch();
    const stream = await session.events();
    expect(elapsedMs()).toBeLessThan(2_000);
    await stream.close();
  });

  test('is one a session: a newer one takes the place of the older, and a change is told once', async () => {
    const session = await ada.initialize();
    const [first, second, third] = [await session.events(), await session.events(), await session.events()];
    expect(await first.rest()).toEqual([]);
    expect(await second.rest()).toEqual([]);
    await change();
    expect(await third.within(400)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed', params: {} },
    ]);
    await third.close();
  });

  test('of two sessions of one user: each is told', async () => {
    const streams = [await (await ada.initialize()).events(), await (await ada.initialize()).events()];
    await change();
    for (const stream of streams)
      expect((await stream.next(1_000)).method).toBe('notifications/tools/list_changed');
    const third = await readAnswer(await (await ada.initialize()).get());
    expect(third.status).toBe(429);
    for (const stream of streams) await stream.close();
  });

  test('needs an Accept that allows it, and a session', async () => {
    const session = await ada.initialize();
    expect((await session.get({ accept: 'application/json' })).status).toBe(406);
    expect((await ada.send({ headers: { accept: 'text/event-stream' } })).status).toBe(405);
    expect((await ada.session('forged').get()).status).toBe(404);
  });

  test('stays open while nothing happens: a comment at least every 15 s (R13)', async () => {
    const stream = await (await ada.initialize()).events();
    for (const seconds of [12, 24]) {
      running.clock.advance(12_000);
      await Bun.sleep(1_100);
      expect(stream.comments, `after ${seconds} s`).toHaveLength(1 + seconds / 12);
    }
    expect(stream.comments.slice(0, 2)).toEqual([': open', ': keep-alive']);
    expect(stream.hasEnded).toBe(false);
    await stream.close();
  });

  test('a posted notification or answer is accepted with an empty 202', async () => {
    const session = await ada.initialize();
    for (const response of [
      await session.notify('notifications/initialized'),
      await session.notify('notifications/roots/list_changed'),
      await session.notify('notifications/cancelled', { requestId: 'unknown' }),
      await session.notify('notifications/cancelled', { requestId: { odd: true } }),
      await session.respond('unknown', {}),
    ])
      expect([response.status, await response.text()]).toEqual([202, '']);
  });
});
