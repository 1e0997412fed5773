import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { OutboundFailure } from '#outbound/outbound.ts';
import { createSocketOutbound } from '#outbound/socket-outbound.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { implementations } from './implementations.ts';
import { okAnswer, startRawServer } from './raw-server.ts';
import { post } from './request.ts';

interface Fault {
  readonly title: string;
  readonly answer: (socket: Socket) => void;
  readonly reason: OutboundFailure['reason'];
  readonly phase?: OutboundFailure['phase'];
  readonly timeoutMs?: number;
}

const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

const faults: readonly Fault[] = [
  {
    title: 'a server that never answers is a timeout in the head',
    answer: () => {},
    reason: 'timeout',
    phase: 'head',
    timeoutMs: 100,
  },
  {
    title: 'a server that stops in the middle of the head is a timeout in the head',
    answer: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Ty'),
    reason: 'timeout',
    phase: 'head',
    timeoutMs: 100,
  },
  {
    title: 'a server that stops in the middle of the body is a timeout in the body (R15)',
    answer: (socket) => socket.write(`${head}Content-Length: 100\r\n\r\n{"a":`),
    reason: 'timeout',
    phase: 'body',
    timeoutMs: 100,
  },
  {
    title: 'a slow drip does not outlive the deadline (R15)',
    answer: (socket) => {
      socket.write(`${head}Content-Length: 1000\r\n\r\n`);
      const drip = setInterval(() => socket.write(' '), 20);
      socket.on('close', () => clearInterval(drip));
    },
    reason: 'timeout',
    phase: 'body',
    timeoutMs: 200,
  },
  {
    title: 'a server that only ever sends interim answers is a timeout in the head',
    answer: (socket) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'),
    reason: 'timeout',
    phase: 'head',
    timeoutMs: 100,
  },
  {
    title: 'a reset before the head is unreachable',
    answer: (socket) => socket.resetAndDestroy(),
    reason: 'unreachable',
    phase: 'head',
  },
  {
    title: 'a close before the head is unreachable',
    answer: (socket) => socket.end(),
    reason: 'unreachable',
    phase: 'head',
  },
  {
    title: 'a close in the middle of the head is unreachable',
    answer: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Ty'),
    reason: 'unreachable',
  },
  {
    title: 'a body shorter than its content-length is unreachable, never a short success',
    answer: (socket) => socket.end(`${head}Content-Length: 100\r\n\r\n{"a":1}`),
    reason: 'unreachable',
    phase: 'body',
  },
  {
    title: 'a reset in the middle of the body is unreachable',
    answer: (socket) => {
      socket.write(`${head}Content-Length: 100\r\n\r\n{"a":1}`);
      setTimeout(() => socket.resetAndDestroy(), 30);
    },
    reason: 'unreachable',
    phase: 'body',
  },
  {
    title: 'a chunked body without its last chunk is unreachable, never a short success',
    answer: (socket) => socket.end(`${head}Transfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n`),
    reason: 'unreachable',
    phase: 'body',
  },
  {
    title: 'two content-lengths are refused',
    answer: (socket) => socket.write(`${head}Content-Length: 7\r\nContent-Length: 9\r\n\r\n{"a":1}  `),
    reason: 'unreachable',
  },
  {
    title: 'a content-length beside chunked encoding is refused',
    answer: (socket) =>
      socket.write(`${head}Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\n\r\n`),
    reason: 'unreachable',
  },
  {
    title: 'a chunk size that is no number is unreachable',
    answer: (socket) => socket.write(`${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{"a":1}\r\n`),
    reason: 'unreachable',
  },
  {
    title: 'what is not HTTP is unreachable',
    answer: (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n'),
    reason: 'unreachable',
    phase: 'head',
  },
  {
    title: 'a protocol switch that nobody asked for is unreachable',
    answer: (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    reason: 'unreachable',
  },
  {
    title: 'a head beyond its bound is too large',
    answer: (socket) => socket.write(`${head}X-Long: ${'x'.repeat(100_000)}\r\nContent-Length: 2\r\n\r\n{}`),
    reason: 'too_large',
  },
  {
    title: 'a body announced beyond the cap is refused before it is read (R32)',
    answer: (socket) => socket.write(`${head}Content-Length: 10000000\r\n\r\n`),
    reason: 'too_large',
    phase: 'body',
  },
  {
    title: 'a chunked body beyond the cap is cut (R32)',
    answer: (socket) => {
      socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      for (let i = 0; i < 20; i++) socket.write(chunk);
    },
    reason: 'too_large',
    phase: 'body',
  },
  {
    title: 'a body that is not UTF-8 is refused',
    answer: (socket) =>
      socket.write(
        Buffer.concat([
          Buffer.from(`${head}Content-Length: 4\r\n\r\n`),
          Buffer.from([0x22, 0xc3, 0x28, 0x22]),
        ]),
      ),
    reason: 'bad_encoding',
    phase: 'body',
  },
  {
    title: 'a compressed body is refused: nothing asked for one',
    answer: (socket) => socket.write(`${head}Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}`),
    reason: 'bad_encoding',
    phase: 'body',
  },
];

describe.each(implementations)('an exchange over $name that goes wrong', ({ createOutbound }) => {
  for (const fault of faults) {
    test(fault.title, async () => {
      await using server = await startRawServer(fault.answer);
      const outbound = createOutbound();
      const elapsedMs = stopwatch();
      const answer = await outbound.request(post(server.url, { timeoutMs: fault.timeoutMs ?? 3_000 }));
      await outbound.close();
      expect(answer).toMatchObject({ ok: false, error: { reason: fault.reason, wasSent: true } });
      if (fault.phase !== undefined) expect(answer).toMatchObject({ error: { phase: fault.phase } });
      expect(elapsedMs()).toBeLessThan(fault.timeoutMs === undefined ? 2_500 : 1_500);
    });
  }

  test('a refused connection is unreachable and nothing was sent', async () => {
    const server = await startRawServer(() => {});
    await server[Symbol.asyncDispose]();
    const outbound = createOutbound();
    const answer = await outbound.request(post(server.url));
    await outbound.close();
    expect(answer).toMatchObject({
      ok: false,
      error: { reason: 'unreachable', phase: 'connect', wasSent: false },
    });
  });

  test('a name that does not resolve is unreachable and nothing was sent', async () => {
    const outbound = createOutbound({
      lookup: (_host, _options, callback) => callback(new Error('ENOTFOUND'), '', 4),
    });
    const answer = await outbound.request(post('http://backend.example/'));
    await outbound.close();
    expect(answer).toMatchObject({ ok: false, error: { reason: 'unreachable', wasSent: false } });
  });

  test('a name server that never answers is a timeout in the connection and nothing was sent', async () => {
    const outbound = createOutbound({ lookup: () => {} });
    const answer = await outbound.request(post('http://backend.example/', { timeoutMs: 100 }));
    await outbound.close();
    expect(answer).toMatchObject({
      ok: false,
      error: { reason: 'timeout', phase: 'connect', wasSent: false },
    });
  });

  test('a request given up while connecting is not sent once the connection stands', async () => {
    await using server = await startRawServer((socket) => socket.write(okAnswer('{}')));
    let answerLookup = (): void => {};
    const outbound = createOutbound({
      lookup: (_host, options, callback) => {
        answerLookup = () =>
          options.all
            ? callback(null, [{ address: '127.0.0.1', family: 4 }])
            : callback(null, '127.0.0.1', 4);
      },
    });
    const answer = await outbound.request(post(`http://backend.example:${server.port}/`, { timeoutMs: 50 }));
    answerLookup();
    await Bun.sleep(150);
    await outbound.close();
    expect(answer).toMatchObject({ ok: false, error: { reason: 'timeout', wasSent: false } });
    expect(server.received()).toBe('');
  });

  test('a server that speaks no TLS is unreachable over https and gets no byte of the request', async () => {
    await using server = await startRawServer(
      (socket) => socket.write(okAnswer('{}')),
      (socket) => {
        socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
      },
    );
    const outbound = createOutbound();
    const answer = await outbound.request(
      post(`https://127.0.0.1:${server.port}/`, { headers: { authorization: 'Bearer user-token' } }),
    );
    await outbound.close();
    expect(answer).toMatchObject({ ok: false, error: { reason: 'unreachable', wasSent: false } });
    expect(server.received()).not.toContain('user-token');
  });

  test('a header that would end its line is refused and nothing is sent', async () => {
    await using server = await startRawServer((socket) => socket.write(okAnswer('{}')));
    const outbound = createOutbound();
    const answer = await outbound.request(
      post(server.url, { headers: { 'x-user': 'a\r\nAuthorization: Bearer stolen' } }),
    );
    await outbound.close();
    expect(answer).toMatchObject({ ok: false, error: { reason: 'invalid_request', wasSent: false } });
    expect(server.received()).toBe('');
  });

  test.each([
    ['a name', { 'x user': 'a' }],
    ['an empty name', { '': 'a' }],
    ['a line end in a name', { 'x\r\nauthorization': 'a' }],
    ['a line feed', { 'x-user': 'a\nb: c' }],
    ['a zero byte', { 'x-user': 'a\0b' }],
    ['a character beyond its encoding', { 'x-user': '\u0100' }],
    ['a transfer coding', { 'transfer-encoding': 'chunked' }],
    ['another length', { 'content-length': '3' }],
    ['an upgrade', { upgrade: 'websocket' }],
  ])('a header with %s of its own is refused and nothing is sent', async (_title, headers) => {
    await using server = await startRawServer((socket) => socket.write(okAnswer('{}')));
    const outbound = createOutbound();
    const answer = await outbound.request(post(server.url, { headers: { ...headers } }));
    await outbound.close();
    expect(answer).toMatchObject({ ok: false, error: { reason: 'invalid_request', wasSent: false } });
    expect(server.received()).toBe('');
  });

  test.each(['file:///etc/passwd', 'ftp://127.0.0.1/', 'not a url', ''])(
    'the address %j is refused',
    async (url) => {
      const outbound = createOutbound();
      const answer = await outbound.request(post(url));
      await outbound.close();
      expect(answer).toMatchObject({ ok: false, error: { reason: 'invalid_request', wasSent: false } });
    },
  );
});

describe.each(implementations)('an odd exchange over $name that is right', ({ createOutbound }) => {
  test.each([
    [
      'interim answers before the answer',
      `HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n${okAnswer('{"a":1}')}`,
    ],
    [
      'a chunked body with trailers',
      `${head}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\nX-Sum: 5\r\n\r\n`,
    ],
  ])('%s', async (_title, text) => {
    await using server = await startRawServer((socket) => socket.write(text));
    const outbound = createOutbound();
    const answer = await outbound.request(post(server.url));
    await outbound.close();
    expect(answer).toMatchObject({ ok: true, value: { status: 200, body: '{"a":1}' } });
  });

  test('a body that only the end of the connection delimits', async () => {
    await using server = await startRawServer((socket) =>
      socket.end(`${head}Connection: close\r\n\r\n{"a":1}`),
    );
    const outbound = createOutbound();
    const answer = await outbound.request(post(server.url));
    await outbound.close();
    expect(answer).toMatchObject({ ok: true, value: { body: '{"a":1}' } });
  });

  test('what follows the announced length never becomes the next answer', async () => {
    await using server = await startRawServer((socket) => {
      socket.write(okAnswer('{"a":1}') + okAnswer('{"poison":true}'));
    });
    const outbound = createOutbound({ maxConnections: 1 });
    await outbound.request(post(server.url));
    const second = await outbound.request(post(server.url));
    await outbound.close();
    if (second.ok) expect(second.value.body).toBe('{"a":1}');
    else expect(second.error.reason).toBe('unreachable');
  });

  test('a connection that the server closed while idle is not used again', async () => {
    await using server = await startRawServer((socket) => {
      socket.write(okAnswer('{}'));
      setTimeout(() => socket.end(), 20);
    });
    const outbound = createOutbound({ maxConnections: 1 });
    const first = await outbound.request(post(server.url));
    await Bun.sleep(100);
    const second = await outbound.request(post(server.url));
    await outbound.close();
    expect([first.ok, second.ok]).toEqual([true, true]);
    expect(server.connections()).toBe(2);
  });

  test('an idle connection is closed before the server would do it', async () => {
    await using server = await startRawServer((socket) => {
      socket.write(okAnswer('{}', 'Keep-Alive: timeout=2\r\n'));
      setTimeout(() => socket.resetAndDestroy(), 2_000);
    });
    const outbound = createOutbound({ maxConnections: 1 });
    const first = await outbound.request(post(server.url));
    await Bun.sleep(1_950);
    const second = await outbound.request(post(server.url));
    await outbound.close();
    expect([first.ok, second.ok, server.connections()]).toEqual([true, true, 2]);
  });

  test('a connection that the server keeps for no time is used once', async () => {
    await using server = await startRawServer((socket) =>
      socket.write(okAnswer('{}', 'Keep-Alive: timeout=1\r\n')),
    );
    const outbound = createOutbound({ maxConnections: 1 });
    for (let round = 0; round < 3; round++) expect((await outbound.request(post(server.url))).ok).toBe(true);
    await outbound.close();
    expect(server.connections()).toBe(3);
  });

  test('an idle close that races with a request never answers it twice or hangs it', async () => {
    await using server = await startRawServer((socket) => {
      socket.write(okAnswer('{}'));
      setTimeout(() => socket.end(), 1);
    });
    const outbound = createOutbound({ maxConnections: 1 });
    for (let round = 0; round < 50; round++) {
      const answer = await outbound.request(post(server.url));
      if (!answer.ok) expect(answer.error.reason).toBe('unreachable');
      await Bun.sleep(round % 3);
    }
    await outbound.close();
    const requests = server.received().split('POST / ').length - 1;
    expect(requests).toBeLessThanOrEqual(50);
  });
});

test('over our own sockets a body that only the end delimits is not complete after a reset', async () => {
  await using server = await startRawServer((socket) => {
    socket.write(`${head}\r\n{"a":1}`);
    setTimeout(() => socket.resetAndDestroy(), 30);
  });
  const outbound = createSocketOutbound();
  const answer = await outbound.request(post(server.url));
  await outbound.close();
  expect(answer).toMatchObject({ ok: false, error: { reason: 'unreachable', phase: 'body' } });
});
