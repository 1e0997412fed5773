import { createServer } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { createFetchJsonDocument } from '#outbound/fetch-json.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { isPublicAddress } from '#outbound/public-address.ts';
import { createPublicOutbound, type PublicOutboundOptions } from '#outbound/public-outbound.ts';
import { okAnswer, startRawServer } from './raw-server.ts';
import { post } from './request.ts';
import { testCertificate, testKey } from './test-certificate.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A guarded outbound; `answers` are what names resolve to, one list after the other, the last for ever. */
function guarded(
  answers: Readonly<Record<string, readonly (readonly string[])[]>> = {},
  options: PublicOutboundOptions = {},
): { readonly outbound: Outbound; readonly asked: string[] } {
  const asked: string[] = [];
  const outbound = createPublicOutbound({
    ca: testCertificate,
    resolve: async (name) => {
      const lists = answers[name] ?? [];
      const list = lists[Math.min(asked.filter((other) => other === name).length, lists.length - 1)];
      asked.push(name);
      return list ?? [];
    },
    ...options,
  });
  closing.push(() => outbound.close());
  return { outbound, asked };
}

/** A server on this machine stands for one of the public internet: its address, and no other, may be reached besides. */
const here = { mayReach: (address: string) => address === '127.0.0.1' || isPublicAddress(address) };

async function startServer(answer: string | undefined): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer({ cert: testCertificate, key: testKey }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      requests.push(chunk.toString());
      if (answer !== undefined) socket.write(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, requests };
}

const get = (url: string, timeoutMs = 2_000) => post(url, { method: 'GET', body: undefined, timeoutMs });
const failureOf = async (outbound: Outbound, url: string) => {
  const answer = await outbound.request(get(url));
  return answer.ok ? `answered ${answer.value.status}` : `${answer.error.reason} ${answer.error.detail}`;
};

describe('createPublicOutbound', () => {
  test('fetches from a name that resolves to addresses which may be reached', async () => {
    const { port, requests } = await startServer(okAnswer('{"ok":1}'));
    const { outbound, asked } = guarded({ 'doc.test': [['127.0.0.1']] }, here);
    const answer = await outbound.request(get(`https://doc.test:${port}/client.json`));
    expect(answer).toMatchObject({ ok: true, value: { status: 200, body: '{"ok":1}' } });
    expect(asked).toEqual(['doc.test']);
    expect(requests[0]).toContain(`doc.test:${port}\r\n`);
  });

  test('by itself reaches nothing on this machine', async () => {
    await using server = await startRawServer((socket) => socket.end());
    const { outbound } = guarded({ 'doc.test': [['127.0.0.1']] });
    expect(await failureOf(outbound, `https://doc.test:${server.port}/`)).toBe('unreachable ENOTPUBLIC');
    const system = createPublicOutbound();
    closing.push(() => system.close());
    for (const name of ['localhost', 'LOCALHOST'])
      expect(await failureOf(system, `https://${name}:${server.port}/`)).toBe('unreachable ENOTPUBLIC');
    // Not every system resolves it with a dot at its end.
    expect(await failureOf(system, `https://localhost.:${server.port}/`)).toMatch(/ENOTPUBLIC|ENOTFOUND/);
    expect(server.connections()).toBe(0);
  });

  test.each([
    ['http://doc.test/', 'not_https'],
    ['ftp://doc.test/', 'not_https'],
    ['file:///etc/passwd', 'not_https'],
    ['//doc.test/', 'not_https'],
    ['https://', 'not_https'],
    ['https://user@doc.test/', 'user_info'],
    ['https://user:pass@doc.test/', 'user_info'],
    ['https://8.8.8.8@127.0.0.1/', 'user_info'],
  ])('refuses %s: %s', async (url, reason) => {
    const { outbound, asked } = guarded({ 'doc.test': [['127.0.0.1']] }, here);
    expect(await failureOf(outbound, url)).toBe(`invalid_request ${reason}`);
    expect(asked).toEqual([]);
  });

  test.each([
    'https://169.254.169.254/latest/meta-data/',
    'https://127.0.0.1/',
    'https://127.0.0.1./',
    'https://0177.0.0.1/',
    'https://0x7f.0.0.1/',
    'https://0x7f000001/',
    'https://2130706433/',
    'https://127.1/',
    'https://0/',
    'https://①②⑦.⓪.⓪.①/',
    'https://%31%32%37.0.0.1/',
    'https://0xa9fea9fe/',
    'https://0251.0376.0251.0376/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[64:ff9b::a9fe:a9fe]/',
    'https://[2002:7f00:1::]/',
    'https://[fd00:ec2::254]/',
  ])('refuses the address %s in every spelling', async (url) => {
    const { outbound, asked } = guarded();
    expect(await failureOf(outbound, url)).toBe('invalid_request not_public');
    expect(asked).toEqual([]);
  });

  test.each([
    ['the metadata service of a cloud', ['169.254.169.254']],
    ['a private address', ['10.0.0.7']],
    ['one private address among public ones', ['8.8.8.8', '192.168.1.1']],
    ['loopback among public ones, in IPv6', ['2606:4700:4700::1111', '::1']],
    ['a mapped private address', ['::ffff:10.0.0.7']],
    ['what is no address', ['localhost']],
  ])('refuses a name of %s', async (_what, addresses) => {
    const { outbound } = guarded({ 'mixed.test': [addresses] }, here);
    expect(await failureOf(outbound, 'https://mixed.test/')).toBe('unreachable ENOTPUBLIC');
  });

  test('is not misled by a dot at the end of a name', async () => {
    const { outbound, asked } = guarded({ 'private.test.': [['10.0.0.7']] }, here);
    expect(await failureOf(outbound, 'https://private.test./')).toBe('unreachable ENOTPUBLIC');
    expect(asked).toEqual(['private.test.']);
  });

  test('refuses a name without addresses, and one that cannot be resolved', async () => {
    const { outbound } = guarded();
    expect(await failureOf(outbound, 'https://nobody.test/')).toBe('unreachable ENOTFOUND');
    const failing = guarded(
      {},
      { resolve: () => Promise.reject(Object.assign(new Error(), { code: 'EAI_AGAIN' })) },
    );
    expect(await failureOf(failing.outbound, 'https://nobody.test/')).toBe('unreachable EAI_AGAIN');
  });

  test('connects to the very addresses it looked at, though the name resolves differently the second time', async () => {
    const { port, requests } = await startServer(okAnswer('{}'));
    const { outbound, asked } = guarded({ 'rebinds.test': [['127.0.0.1'], ['169.254.169.254']] }, here);
    expect(await failureOf(outbound, `https://rebinds.test:${port}/`)).toBe('answered 200');
    expect(asked).toEqual(['rebinds.test']);
    expect(requests).toHaveLength(1);
  });

  test('looks again for every new connection: a name that has become private is refused', async () => {
    const { port } = await startServer(
      okAnswer('{}', 'Content-Type: application/json\r\nConnection: close\r\n'),
    );
    const { outbound } = guarded({ 'rebinds.test': [['127.0.0.1'], ['10.0.0.1']] }, here);
    expect(await failureOf(outbound, `https://rebinds.test:${port}/`)).toBe('answered 200');
    expect(await failureOf(outbound, `https://rebinds.test:${port}/`)).toBe('unreachable ENOTPUBLIC');
  });

  test('follows no redirect, wherever it leads (R39)', async () => {
    const { port, requests } = await startServer(
      'HTTP/1.1 302 Found\r\nLocation: https://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n',
    );
    const { outbound, asked } = guarded({ 'doc.test': [['127.0.0.1']] }, here);
    expect(await failureOf(outbound, `https://doc.test:${port}/`)).toBe('answered 302');
    expect(asked).toEqual(['doc.test']);
    expect(requests).toHaveLength(1);
    const fetched = await createFetchJsonDocument(outbound)(`https://doc.test:${port}/`);
    expect(fetched).toEqual({ ok: false, error: 'status 302' });
  });

  test('reads no document of 300 KB', async () => {
    const { port } = await startServer(okAnswer(`"${'x'.repeat(300_000)}"`));
    const { outbound } = guarded({ 'doc.test': [['127.0.0.1']] }, here);
    const fetched = await createFetchJsonDocument(outbound)(`https://doc.test:${port}/`);
    expect(fetched.ok ? '' : fetched.error).toContain('too_large');
  });

  test('gives up on a server that never answers, and on a name that never resolves', async () => {
    const { port } = await startServer(undefined);
    const { outbound } = guarded({ 'doc.test': [['127.0.0.1']] }, here);
    expect(await outbound.request(get(`https://doc.test:${port}/`, 150))).toMatchObject({
      error: { reason: 'timeout', phase: 'head' },
    });
    const unresolved = guarded({}, { resolve: () => new Promise(() => {}) });
    expect(await unresolved.outbound.request(get('https://doc.test/', 150))).toMatchObject({
      error: { reason: 'timeout', phase: 'connect', wasSent: false },
    });
  });

  test('trusts no certificate of another name', async () => {
    const { port, requests } = await startServer(okAnswer('{}'));
    const { outbound } = guarded({ 'other.test': [['127.0.0.1']] }, here);
    expect(await failureOf(outbound, `https://other.test:${port}/`)).toContain('unreachable');
    expect(requests).toEqual([]);
  });
});
