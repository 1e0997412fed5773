import { createServer, type TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { err, ok } from '#kernel/result.ts';
import { createMessageSocket } from '#outbound/message-socket.ts';
import { type Certificates, makeCertificates } from './certificates.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
});

async function collector(cert: string) {
  let text = '';
  const sockets = new Set<TLSSocket>();
  const server = createServer({ key: certificates.key, cert }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    target: { kind: 'tls', host: '127.0.0.1', port } as const,
    text: () => text,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

describe('messages over TLS', () => {
  test('reach a collector whose certificate is trusted, again and again over one connection', async () => {
    await using server = await collector(certificates.good);
    const socket = createMessageSocket(server.target, { ca: certificates.ca });
    for (const message of ['one', 'two', 'three'])
      expect(await socket.send([Buffer.from(message)], 2_000)).toEqual(ok(undefined));
    while (!server.text().includes('three')) await Bun.sleep(5);
    expect(server.text()).toBe('3 one3 two5 three');
    socket.close();
  });

  test.each(['selfSigned', 'otherName', 'expired'] as const)(
    'do not leave for one whose certificate is %s',
    async (which) => {
      await using server = await collector(certificates[which]);
      const socket = createMessageSocket(server.target, { ca: certificates.ca });
      expect(await socket.send([Buffer.from('secret')], 2_000)).toMatchObject({ ok: false });
      await Bun.sleep(50);
      expect(server.text()).toBe('');
      socket.close();
    },
  );

  test('do not leave for one that only the tests know, where nothing else was given', async () => {
    await using server = await collector(certificates.good);
    const socket = createMessageSocket(server.target);
    expect(await socket.send([Buffer.from('secret')], 2_000)).toMatchObject({ ok: false });
    expect(server.text()).toBe('');
    socket.close();
  });
});

test('a name that is nobody’s is an error with its cause, not a wait', async () => {
  for (const kind of ['udp', 'tcp', 'tls'] as const) {
    const socket = createMessageSocket({ kind, host: 'nobody.invalid', port: 9 });
    const sent = await socket.send([Buffer.from('x')], 8_000);
    expect(sent.ok ? '' : sent.error).toMatch(/ENOTFOUND|EAI_AGAIN|DNS/i);
    socket.close();
  }
  expect(await createMessageSocket({ kind: 'unix', path: '/nowhere/at/all' }).send([], 1_000)).toEqual(
    err('ENOENT'),
  );
});
