import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { McpCaller } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

let running: RunningGateway;
let ada: McpCaller;
/** Calls that the backend has not answered: how many began, how many were taken away from it. */
let begun = 0;
let aborted = 0;

beforeAll(async () => {
  running = await runGateway({
    backends: {
      notes: {
        tools: [
          { name: 'hang', scope: 'mcp:test' },
          { name: 'work', scope: 'mcp:test' },
        ],
      },
    },
  });
  const origin = running.listen();
  const overSocket = (request: Request) =>
    fetch(new Request(request.url.replace('http://127.0.0.1:3213', origin), request));
  ada = await running.caller({ scope: 'mcp:test' }, overSocket);
  const hang = (signal: AbortSignal) => {
    begun += 1;
    signal.addEventListener('abort', () => {
      aborted += 1;
    });
  };
  running.backend('notes').answer('hang', ({ signal }) => {
    hang(signal);
    return new Promise(() => {});
  });
  running.backend('notes').answer('work', ({ signal }) => {
    hang(signal);
    const body = new ReadableStream<Uint8Array>({
      start: (controller) =>
        controller.enqueue(new TextEncoder().encode('event: progress\ndata: {"progress":1}\n\n')),
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  });
});
beforeEach(() => {
  begun = 0;
  aborted = 0;
});
afterAll(() => running.close());

async function until(isTrue: () => boolean): Promise<void> {
  for (let waited = 0; !isTrue(); waited += 10) {
    if (waited > 3_000) throw new Error(`waited too long: ${begun} begun, ${aborted} aborted`);
    await Bun.sleep(10);
  }
}
const cancelled = (method = 'tools/call') =>
  running.calls(1, (record) => record.method === method && record.outcome === 'cancelled');

describe('a modern client that goes away (R14)', () => {
  test('before the answer has begun, cancels the call at the backend', async () => {
    const leaving = new AbortController();
    const call = ada.tool('notes_hang', {}, { signal: leaving.signal });
    await until(() => begun === 1);
    leaving.abort();
    await expect(call).rejects.toThrow();
    await until(() => aborted === 1);
    expect(await cancelled()).toMatchObject([{ tool: 'notes_hang', backend: 'notes', era: 'modern' }]);
  });

  test('in the middle of the stream, cancels the call at the backend', async () => {
    const stream = await ada.modernStream(
      'tools/call',
      { name: 'notes_work' },
      { meta: { progressToken: 1 } },
    );
    expect((await stream.next()).method).toBe('notifications/progress');
    await stream.close();
    await until(() => aborted === 1);
  });

  test('frees the place of its listen stream', async () => {
    const streams = await Promise.all(Array.from({ length: 32 }, () => ada.listen({})));
    expect((await ada.modern('subscriptions/listen')).status).toBe(429);
    for (const stream of streams) {
      await stream.next();
      await stream.close();
    }
    for (let waited = 0; waited < 3_000; waited += 20) {
      const again = await ada.listen({});
      await again.close();
      if (again.response.status === 200) return;
      await Bun.sleep(20);
    }
    throw new Error('no place became free');
  });
});

describe('a client of the older protocol (R14)', () => {
  test('that goes away cancels nothing', async () => {
    const session = await ada.initialize();
    const leaving = new AbortController();
    const call = session.tool('notes_hang', {}, { signal: leaving.signal, id: 'left' });
    await until(() => begun === 1);
    leaving.abort();
    await expect(call).rejects.toThrow();
    const stream = await session.stream(
      'tools/call',
      { name: 'notes_work' },
      { meta: { progressToken: 1 }, id: 'left-too' },
    );
    await stream.next();
    await stream.close();
    await Bun.sleep(300);
    expect([begun, aborted]).toEqual([2, 0]);
    for (const requestId of ['left', 'left-too'])
      await session.notify('notifications/cancelled', { requestId });
    await until(() => aborted === 2);
  });

  test('cancels by notification: the call at the backend ends, and its POST without an answer', async () => {
    const session = await ada.initialize();
    const call = session.tool('notes_hang', {}, { id: 41 });
    const other = session.tool('notes_hang', {}, { id: '41' });
    await until(() => begun === 2);
    expect(
      (await session.notify('notifications/cancelled', { requestId: 41, reason: 'enough' })).status,
    ).toBe(202);
    const answer = await call;
    expect([answer.status, answer.text]).toEqual([202, '']);
    await until(() => aborted === 1);
    await session.notify('notifications/cancelled', { requestId: '41' });
    expect((await other).text).toBe('');
    await until(() => aborted === 2);
  });

  test('cannot cancel the call of another session, of its own user or of another', async () => {
    const session = await ada.initialize();
    const call = session.tool('notes_hang', {}, { id: 1 });
    await until(() => begun === 1);
    const bob = await running.caller({ sub: 'bob', scope: 'mcp:test' });
    for (const stranger of [await bob.initialize(), await ada.initialize()])
      await stranger.notify('notifications/cancelled', { requestId: 1 });
    await Bun.sleep(50);
    expect(aborted).toBe(0);
    await session.notify('notifications/cancelled', { requestId: 1 });
    await call;
    await until(() => aborted === 1);
  });

  test('that uses an id twice still cancels the call that is left', async () => {
    const session = await ada.initialize();
    const first = session.tool('notes_hang', {}, { id: 9 });
    await until(() => begun === 1);
    expect((await session.request('ping', {}, { id: 9 })).status).toBe(200);
    await session.notify('notifications/cancelled', { requestId: 9 });
    await until(() => aborted === 1);
    expect((await first).text).toBe('');
  });
});
