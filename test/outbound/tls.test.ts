import { createServer as createTcpServer } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import type { OutboundOptions } from '#outbound/outbound.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { implementations } from './implementations.ts';
import { okAnswer } from './raw-server.ts';
import { post } from './request.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

/** A TLS server that answers each request, and keeps what it decrypted. */
async function startTlsServer(cert: string) {
  let received = '';
  let connections = 0;
  const sockets = new Set<TLSSocket>();
  const server = createServer({ key: certificates.key, cert }, (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      socket.write(okAnswer('{"tls":true}'));
    });
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    received: () => received,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const toLoopback: OutboundOptions['lookup'] = (_host, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);
const secret = { headers: { authorization: 'Bearer user-token' } };

describe.each(implementations)('https over $name', ({ createOutbound }) => {
  test('a trusted certificate of the right name is spoken to, and its connection is kept', async () => {
    await using server = await startTlsServer(certificates.good);
    const outbound = createOutbound({ ca: certificates.ca, lookup: toLoopback });
    for (let round = 0; round < 5; round++) {
      const answer = await outbound.request(post(`https://backend.example:${server.port}/`, secret));
      expect(answer).toMatchObject({ ok: true, value: { body: '{"tls":true}' } });
    }
    await outbound.close();
    expect(server.connections()).toBeLessThanOrEqual(2);
  });

  test('an address in place of a name is checked against the certificate, too', async () => {
    await using good = await startTlsServer(certificates.good);
    await using other = await startTlsServer(certificates.otherName);
    const outbound = createOutbound({ ca: certificates.ca });
    const [first, second] = [
      await outbound.request(post(`https://127.0.0.1:${good.port}/`)),
      await outbound.request(post(`https://127.0.0.1:${other.port}/`, secret)),
    ];
    await outbound.close();
    expect(first).toMatchObject({ ok: true });
    expect(second).toMatchObject({ ok: false, error: { reason: 'unreachable', wasSent: false } });
    expect(other.received()).toBe('');
  });

  test.each([
    ['of another name', 'otherName'],
    ['that has expired', 'expired'],
    ['that nobody trusted has signed', 'selfSigned'],
  ] as const)('a certificate %s is unreachable and gets no byte of the request', async (_title, which) => {
    await using server = await startTlsServer(certificates[which]);
    const outbound = createOutbound({ ca: certificates.ca, lookup: toLoopback });
    const answer = await outbound.request(post(`https://backend.example:${server.port}/`, secret));
    await outbound.close();
    expect(answer).toMatchObject({
      ok: false,
      error: { reason: 'unreachable', phase: 'connect', wasSent: false },
    });
    expect(server.received()).toBe('');
  });

  test('without the authority a good certificate is not trusted', async () => {
    await using server = await startTlsServer(certificates.good);
    const outbound = createOutbound({ lookup: toLoopback });
    const answer = await outbound.request(post(`https://backend.example:${server.port}/`, secret));
    await outbound.close();
    expect(answer).toMatchObject({ ok: false, error: { reason: 'unreachable', wasSent: false } });
    expect(server.received()).toBe('');
  });

  test('a handshake that never ends is a timeout in the connection, and its socket is closed', async () => {
    let closed = (): void => {};
    const isClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const silent = createTcpServer((socket) => {
      socket.on('error', () => {}).resume();
      socket.on('close', () => closed());
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const outbound = createOutbound({ connectTimeoutMs: 1_000 });
    const answer = await outbound.request(post(`https://127.0.0.1:${port}/`, { ...secret, timeoutMs: 100 }));
    expect(answer).toMatchObject({
      ok: false,
      error: { reason: 'timeout', phase: 'connect', wasSent: false },
    });
    await isClosed;
    await outbound.close();
    await new Promise<void>((resolve) => silent.close(() => resolve()));
  });

  test('a body of some megabytes arrives whole in both directions', async () => {
    const body = JSON.stringify({ text: 'é'.repeat(1_500_000) });
    const echo = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      tls: { key: certificates.key, cert: certificates.good },
      fetch: async (request) => new Response(await request.text()),
    });
    const outbound = createOutbound({ ca: certificates.ca });
    const request = post(`https://127.0.0.1:${echo.port}/`, {
      body,
      maxBytes: 10_000_000,
      timeoutMs: 10_000,
    });
    const answers = await Promise.all([1, 2, 3].map(() => outbound.request(request)));
    await outbound.close();
    await echo.stop(true);
    expect(answers.map((answer) => answer.ok && answer.value.body === body)).toEqual([true, true, true]);
  });
});
