import { afterEach, describe, expect, test } from 'vitest';
import type { Outbound, OutboundOptions } from '#outbound/outbound.ts';
import type { SseEvent } from '#outbound/sse-reader.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { type Implementation, implementations } from './implementations.ts';
import { okAnswer, startRawServer } from './raw-server.ts';
import { post } from './request.ts';

const open: Outbound[] = [];
function opener({ createOutbound }: Implementation): (options?: OutboundOptions) => Outbound {
  return (options = {}) => {
    const outbound = createOutbound(options);
    open.push(outbound);
    return outbound;
  };
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((outbound) => outbound.close()));
});

describe.each(implementations)('requests over $name', (implementation) => {
  const outboundWith = opener(implementation);

  test('asks the given look-up for the address (which the undici that Bun brings along does not)', async () => {
    await using server = await startRawServer((socket) => socket.write(okAnswer('{"real":true}')));
    const asked: string[] = [];
    const outbound = outboundWith({
      lookup: (host, options, callback) => {
        asked.push(host);
        if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
        else callback(null, '127.0.0.1', 4);
      },
    });
    const answer = await outbound.request(post(`http://no-such-name.invalid:${server.port}/`));
    expect(answer).toMatchObject({ ok: true, value: { body: '{"real":true}' } });
    expect(asked).toEqual(['no-such-name.invalid']);
  });

  test('sends path, query, method, headers and body as given', async () => {
    await using server = await startRawServer((socket) => socket.write(okAnswer('{}')));
    const outbound = outboundWith();
    await outbound.request(
      post(`${server.url}/api/cortex?x=1`, { headers: { 'X-Cortex-Kind': 'tool' }, body: '{"é":1}' }),
    );
    expect(server.received()).toMatch(/^POST \/api\/cortex\?x=1 HTTP\/1\.1\r\n/);
    expect(server.received()).toContain('X-Cortex-Kind: tool\r\n');
    expect(server.received()).toMatch(/content-length: 8\r\n/i);
    expect(Buffer.from(server.received(), 'latin1').toString('utf8')).toContain('{"é":1}');
  });

  test('keeps its connections for calls that follow each other', async () => {
    await using server = await startRawServer((socket) => socket.write(okAnswer('{}')));
    const outbound = outboundWith();
    for (let i = 0; i < 20; i++) expect((await outbound.request(post(server.url))).ok).toBe(true);
    // Two, because undici looks once at a connection that has just become idle before it uses it again.
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test('opens no more connections than allowed, and the rest wait', async () => {
    await using server = await startRawServer((socket) => {
      setTimeout(() => socket.write(okAnswer('{}')), 20);
    });
    const outbound = outboundWith({ maxConnections: 4 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => outbound.request(post(server.url))));
    expect(answers.every((answer) => answer.ok)).toBe(true);
    expect(server.connections()).toBe(4);
  });

  test('a pool full of hung requests does not hold up another pool of the same origin', async () => {
    await using server = await startRawServer((socket, request) => {
      if (request.includes('/quick')) socket.write(okAnswer('{}'));
    });
    const outbound = outboundWith({ maxConnections: 2 });
    const stop = new AbortController();
    const hung = Array.from({ length: 6 }, () =>
      outbound.request(post(`${server.url}/hung`, { pool: 'a', signal: stop.signal })),
    );
    const answer = await outbound.request(post(`${server.url}/quick`, { pool: 'b', timeoutMs: 1_000 }));
    expect(answer.ok).toBe(true);
    stop.abort();
    for (const result of await Promise.all(hung)) {
      expect(result).toMatchObject({ ok: false, error: { reason: 'cancelled' } });
    }
  });

  test('closes the pool unused for longest when there are too many, and serves its origin again', async () => {
    await using first = await startRawServer((socket) => socket.write(okAnswer('{}')));
    await using second = await startRawServer((socket) => socket.write(okAnswer('{}')));
    const outbound = outboundWith({ maxPools: 1 });
    for (const server of [first, second, first]) {
      expect((await outbound.request(post(server.url))).ok).toBe(true);
    }
    expect([first.connections(), second.connections()]).toEqual([2, 1]);
  });

  test('a redirect is the answer, and neither token nor body reach its target (R39)', async () => {
    await using target = await startRawServer((socket) => socket.write(okAnswer('{}')));
    await using server = await startRawServer((socket) => {
      socket.write(
        `HTTP/1.1 307 Temporary Redirect\r\nLocation: ${target.url}/steal\r\nContent-Length: 0\r\n\r\n`,
      );
    });
    const outbound = outboundWith();
    const answer = await outbound.request(
      post(server.url, { headers: { authorization: 'Bearer user-token' } }),
    );
    expect(answer).toMatchObject({ ok: true, value: { status: 307 } });
    expect(server.received()).toContain('Bearer user-token');
    expect(target.connections()).toBe(0);
    expect(target.received()).toBe('');
  });

  test('an abort ends the request and closes its connection (R14)', async () => {
    let closed = (): void => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const stop = new AbortController();
    await using server = await startRawServer((socket) => {
      socket.on('close', () => closed());
      stop.abort();
    });
    const outbound = outboundWith();
    const answer = await outbound.request(post(server.url, { signal: stop.signal }));
    expect(answer).toMatchObject({ ok: false, error: { reason: 'cancelled', wasSent: true } });
    await isClosed;
  });

  test('an aborted signal sends nothing', async () => {
    await using server = await startRawServer((socket) => socket.write(okAnswer('{}')));
    const outbound = outboundWith();
    const answer = await outbound.request(post(server.url, { signal: AbortSignal.abort() }));
    expect(answer).toMatchObject({ ok: false, error: { reason: 'cancelled', wasSent: false } });
    expect(server.connections()).toBe(0);
  });

  test('closing ends what is under way and refuses what comes after', async () => {
    await using server = await startRawServer(() => {});
    const outbound = outboundWith();
    const hung = outbound.request(post(server.url, { timeoutMs: 10_000 }));
    await Bun.sleep(50);
    await outbound.close();
    expect(await hung).toMatchObject({ ok: false, error: { reason: 'cancelled' } });
    expect(await outbound.request(post(server.url))).toMatchObject({
      ok: false,
      error: { reason: 'cancelled' },
    });
  });

  test('closing ends what waits for a connection or for a place', async () => {
    const outbound = outboundWith({ maxConnections: 1, lookup: () => {} });
    const waiting = [1, 2].map(() =>
      outbound.request(post('http://backend.example/', { timeoutMs: 10_000 })),
    );
    await Bun.sleep(50);
    await outbound.close();
    for (const answer of await Promise.all(waiting)) {
      expect(answer).toMatchObject({ ok: false, error: { reason: 'cancelled', wasSent: false } });
    }
  });

  test('joins a repeated header and names headers in lower case', async () => {
    await using server = await startRawServer((socket) =>
      socket.write(okAnswer('{}', 'X-Two: a\r\nX-Two: b\r\nETag: "v1"\r\n')),
    );
    const answer = await outboundWith().request(post(server.url));
    const headers = answer.ok ? answer.value.headers : new Map<string, string>();
    expect([headers.get('x-two'), headers.get('etag')]).toEqual(['a, b', '"v1"']);
  });
});

describe.each(implementations)('an event stream over $name', (implementation) => {
  const outboundWith = opener(implementation);

  const streamHead =
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n';
  const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

  test('hands over events as they come and ends when the consumer has what it wants', async () => {
    await using server = await startRawServer((socket) => {
      socket.write(streamHead + chunk('event: progress\ndata: {"progress":1}\n\n'));
      setTimeout(() => socket.write(chunk('event: result\ndata: {"done":true}\n\n')), 30);
    });
    const seen: SseEvent[] = [];
    const elapsedMs = stopwatch();
    const answer = await outboundWith().request(
      post(server.url, {
        onEvent(event) {
          seen.push(event);
          return event.event === 'result';
        },
      }),
    );
    expect(answer).toMatchObject({ ok: true, value: { isStream: true, body: '' } });
    expect(seen.map((event) => event.data)).toEqual(['{"progress":1}', '{"done":true}']);
    expect(elapsedMs()).toBeLessThan(1_000);
  });

  test('keeps the connection when the stream ends by itself', async () => {
    await using server = await startRawServer((socket) => {
      socket.write(`${streamHead}${chunk('event: result\ndata: 1\n\n')}0\r\n\r\n`);
    });
    const outbound = outboundWith();
    for (let i = 0; i < 5; i++) {
      expect((await outbound.request(post(server.url, { onEvent: () => true }))).ok).toBe(true);
      await Bun.sleep(10);
    }
    expect(server.connections()).toBe(1);
  });

  test('closes the connection of a stream that goes on after its result', async () => {
    let closed = (): void => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    await using server = await startRawServer((socket) => {
      socket.on('close', () => closed());
      socket.write(streamHead + chunk('event: result\ndata: 1\n\n'));
    });
    expect((await outboundWith().request(post(server.url, { onEvent: () => true }))).ok).toBe(true);
    await isClosed;
  });

  test('is bounded by the byte cap, the deadline and its encoding', async () => {
    const outbound = outboundWith();
    await using endless = await startRawServer((socket) => {
      socket.write(streamHead);
      for (let i = 0; i < 50; i++) socket.write(chunk(`data: ${'x'.repeat(1_000)}\n\n`));
    });
    await using hanging = await startRawServer((socket) => socket.write(streamHead));
    await using garbled = await startRawServer((socket) =>
      socket.write(
        Buffer.concat([Buffer.from(`${streamHead}4\r\n`), Buffer.from([0xff, 0xfe, 0x0a, 0x0a, 0x0d, 0x0a])]),
      ),
    );
    const ask = (url: string) =>
      outbound.request(post(url, { maxBytes: 10_000, timeoutMs: 200, onEvent: () => false }));
    expect(await ask(endless.url)).toMatchObject({ error: { reason: 'too_large' } });
    expect(await ask(hanging.url)).toMatchObject({ error: { reason: 'timeout', phase: 'body' } });
    expect(await ask(garbled.url)).toMatchObject({ error: { reason: 'bad_encoding' } });
  });

  test('an error status with that type is read as a body', async () => {
    await using server = await startRawServer((socket) =>
      socket.write(
        'HTTP/1.1 500 Oops\r\nContent-Type: text/event-stream\r\nContent-Length: 15\r\n\r\n{"error":"why"}',
      ),
    );
    const answer = await outboundWith().request(post(server.url, { onEvent: () => false }));
    expect(answer).toMatchObject({
      ok: true,
      value: { status: 500, isStream: false, body: '{"error":"why"}' },
    });
  });
});
