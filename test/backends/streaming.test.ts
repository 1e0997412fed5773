import { describe, expect, test } from 'vitest';
import type { LogEvent, ProgressEvent } from '#backends/backend.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { connect, context, search } from './setup.ts';

function events(...texts: readonly string[]): Response {
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (const text of texts) {
        controller.enqueue(Buffer.from(`${text}\n\n`));
        await Bun.sleep(5);
      }
      controller.close();
    },
  });
  return new Response(stream, { headers: { 'Content-Type': 'text/event-stream', 'X-Cortex-Result': 'mcp' } });
}

const result = 'event: result\ndata: {"content":[]}';

describe('a streamed answer', () => {
  test('is offered only where the client can receive something', async () => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url);
    await connected.backend.call(search(), context());
    await connected.backend.call(search(), context({ onProgress: () => {} }));
    await connected.backend.call(search(), context({ onLog: () => {} }));
    expect(server.calls.map((call) => call.headers.get('accept'))).toEqual([
      'application/json',
      'application/json, text/event-stream',
      'application/json, text/event-stream',
    ]);
  });

  test('relays progress and logs, then gives the result (R26)', async () => {
    await using server = createCapturingBackend();
    server.answer('search', () =>
      events(
        'event: progress\ndata: {"progress":1,"total":2,"message":"half"}',
        'event: log\ndata: {"level":"info","logger":"db","data":"rows"}',
        'event: unknown\ndata: {}',
        result,
      ),
    );
    await using connected = connect(server.url);
    const progress: ProgressEvent[] = [];
    const logs: LogEvent[] = [];
    const made = await connected.backend.call(
      search(),
      context({ onProgress: (event) => progress.push(event), onLog: (event) => logs.push(event) }),
    );
    expect(made.outcome).toEqual({ ok: true, value: { kind: 'mcp', text: '{"content":[]}' } });
    expect(progress).toMatchObject([{ progress: 1, total: 2, message: 'half' }]);
    expect(logs).toMatchObject([{ level: 'info', logger: 'db', data: 'rows' }]);
  });

  test('logs do not reach a client that asked for progress alone (R26)', async () => {
    await using server = createCapturingBackend();
    server.answer('search', () => events('event: log\ndata: {"level":"info","data":1}', result));
    await using connected = connect(server.url);
    const made = await connected.backend.call(search(), context({ onProgress: () => {} }));
    expect(made.outcome.ok).toBe(true);
  });

  test('that ends without a result is a failure, never an empty success', async () => {
    await using server = createCapturingBackend();
    server.answer('search', () => events('event: progress\ndata: {"progress":1}'));
    await using connected = connect(server.url);
    const made = await connected.backend.call(search(), context({ onProgress: () => {} }));
    expect(made.outcome).toMatchObject({
      ok: false,
      error: { reason: 'unreachable', message: 'The backend ended its stream without a result.' },
    });
  });

  test('whose result is not JSON is a failure', async () => {
    await using server = createCapturingBackend();
    server.answer('search', () => events('event: result\ndata: <html>'));
    await using connected = connect(server.url);
    const made = await connected.backend.call(search(), context({ onProgress: () => {} }));
    expect(made.outcome).toMatchObject({ ok: false, error: { reason: 'not_json' } });
  });

  test('that nobody asked for is not read as an answer', async () => {
    await using server = createCapturingBackend();
    server.answer('search', () => events(result));
    await using connected = connect(server.url);
    expect((await connected.backend.call(search(), context())).outcome).toMatchObject({
      ok: false,
      error: { reason: 'not_json' },
    });
  });

  test('progress does not prolong the deadline (R15)', async () => {
    await using server = createCapturingBackend();
    server.answer('search', () =>
      events(...Array.from({ length: 200 }, () => 'event: progress\ndata: {"progress":1}')),
    );
    await using connected = connect(server.url);
    let seen = 0;
    const made = await connected.backend.call(
      search(),
      context({
        timeoutMs: 150,
        onProgress: () => {
          seen++;
        },
      }),
    );
    expect(made.outcome).toMatchObject({ ok: false, error: { reason: 'timeout' } });
    expect(seen).toBeGreaterThan(1);
  });

  test('a client that goes away ends the stream at the backend (R14)', async () => {
    await using server = createCapturingBackend();
    server.answer(
      'search',
      () =>
        new Response(new ReadableStream({ start: (c) => c.enqueue(Buffer.from(': hi\n\n')) }), {
          headers: { 'Content-Type': 'text/event-stream' },
        }),
    );
    await using connected = connect(server.url);
    const stop = new AbortController();
    const calling = connected.backend.call(search(), context({ signal: stop.signal, onProgress: () => {} }));
    while (server.calls.length === 0) await Bun.sleep(5);
    await Bun.sleep(20);
    stop.abort();
    expect((await calling).outcome).toMatchObject({ ok: false, error: { reason: 'cancelled' } });
    const [call] = server.calls;
    for (let i = 0; i < 100 && call?.signal.aborted === false; i++) await Bun.sleep(10);
    expect(call?.signal.aborted).toBe(true);
  });
});
