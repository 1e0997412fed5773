import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { okAnswer, startRawServer } from '../outbound/raw-server.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { connect, context, search } from './setup.ts';

const unavailable = 'HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n';
const requests = (received: string) => received.split('POST / HTTP').length - 1;
const keys = (received: string) =>
  [...received.matchAll(/idempotency-key: (\S+)/gi)].map((match) => match[1]);

/** Answers the first request with a fault and every later one well. */
function failsOnce(fault: (socket: Socket) => void) {
  let asked = 0;
  return startRawServer((socket) => {
    asked++;
    if (asked === 1) fault(socket);
    else socket.write(okAnswer('{"done":true}'));
  });
}

describe('a second attempt', () => {
  test('is made for a repeatable tool after a reset, with the same idempotency key', async () => {
    await using server = await failsOnce((socket) => socket.resetAndDestroy());
    await using connected = connect(server.url);
    const made = await connected.backend.call(
      search({ isRepeatable: true }),
      context({ idempotencyKey: 'key-9' }),
    );
    expect(made.outcome).toMatchObject({ ok: true, value: { text: '{"done":true}' } });
    expect(keys(server.received())).toEqual(['key-9', 'key-9']);
  });

  test('is never made for another tool of which a byte was sent', async () => {
    await using server = await failsOnce((socket) => socket.resetAndDestroy());
    await using connected = connect(server.url);
    const made = await connected.backend.call(search(), context());
    expect(made.outcome).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
    expect(requests(server.received())).toBe(1);
  });

  test('is never made to report a missing capability twice, but reads are asked again', async () => {
    await using server = await failsOnce((socket) => socket.resetAndDestroy());
    await using connected = connect(server.url);
    await connected.backend.ticket('report_missing_capability', {}, context());
    expect(requests(server.received())).toBe(1);
    await using second = await failsOnce((socket) => socket.resetAndDestroy());
    await using reader = connect(second.url);
    await reader.backend.whoami(context());
    expect(requests(second.received())).toBe(2);
  });

  test('is made for any tool where no byte was sent', async () => {
    const gone = await startRawServer(() => {});
    const { port, url } = gone;
    await gone[Symbol.asyncDispose]();
    await using connected = connect(url);
    const calling = connected.backend.call(search(), context());
    await Bun.sleep(20);
    const server = Bun.serve({ port, hostname: '127.0.0.1', fetch: () => Response.json({ back: true }) });
    const made = await calling;
    await server.stop(true);
    expect(made.outcome).toMatchObject({ ok: true, value: { text: '{"back":true}' } });
  });

  test('is made at most once', async () => {
    await using server = await startRawServer((socket) => socket.write(unavailable));
    await using connected = connect(server.url);
    const made = await connected.backend.call(search({ isRepeatable: true }), context());
    expect(made.outcome).toMatchObject({ ok: false, error: { reason: 'failed', status: 503 } });
    expect(requests(server.received())).toBe(2);
  });

  test.each([
    ['a Retry-After', 'HTTP/1.1 503 X\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n'],
    ['a 429', 'HTTP/1.1 429 X\r\nContent-Length: 0\r\n\r\n'],
    ['a business error', 'HTTP/1.1 500 X\r\nContent-Length: 13\r\n\r\n{"error":"x"}'],
    ['a refusal', 'HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n'],
    ['a page of HTML', okAnswer('<html>')],
  ])('is not made after %s', async (_title, answer) => {
    await using server = await startRawServer((socket) => socket.write(answer));
    await using connected = connect(server.url);
    await connected.backend.call(search({ isRepeatable: true }), context());
    expect(requests(server.received())).toBe(1);
  });

  test('never goes past the deadline (R15)', async () => {
    await using server = await startRawServer((socket) => {
      setTimeout(() => socket.resetAndDestroy(), 80);
    });
    await using connected = connect(server.url);
    const elapsedMs = stopwatch();
    const made = await connected.backend.call(search({ isRepeatable: true }), context({ timeoutMs: 110 }));
    expect(made.outcome.ok).toBe(false);
    expect(requests(server.received())).toBe(1);
    expect(elapsedMs()).toBeLessThan(400);
  });

  test('is not made once a part of a stream has been relayed', async () => {
    await using server = await startRawServer((socket) => {
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
      );
      socket.write('26\r\nevent: progress\ndata: {"progress":1}\n\n\r\n');
      setTimeout(() => socket.resetAndDestroy(), 30);
    });
    await using connected = connect(server.url);
    let seen = 0;
    const onProgress = () => {
      seen++;
    };
    await connected.backend.call(search({ isRepeatable: true }), context({ onProgress }));
    expect(requests(server.received())).toBe(1);
    expect(seen).toBe(1);
  });

  test('is not made for a caller who has gone', async () => {
    await using server = await startRawServer((socket) => socket.write(unavailable));
    await using connected = connect(server.url);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 25);
    const made = await connected.backend.call(
      search({ isRepeatable: true }),
      context({ signal: stop.signal }),
    );
    expect(made.outcome).toMatchObject({ ok: false, error: { reason: 'cancelled' } });
    expect(requests(server.received())).toBe(1);
  });
});

describe('the deadline', () => {
  test('has a hard maximum, whatever is asked for (R15)', async () => {
    await using server = createCapturingBackend();
    await using connected = connect(server.url);
    await connected.backend.call(search(), context({ timeoutMs: 86_400_000 }));
    expect(Number(server.calls[0]?.headers.get('x-cortex-deadline-ms'))).toBeLessThanOrEqual(600_000);
  });
});
