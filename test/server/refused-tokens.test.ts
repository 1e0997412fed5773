import { describe, expect, test } from 'vitest';
import { createClientAddress } from '#server/client-address.ts';
import type { Connection } from '#server/connection.ts';
import { networkOf } from '#server/network-of.ts';
import { runGateway } from '../support/running-gateway.ts';

const from = (address: string): Connection => ({ address: () => address, keepOpen() {} });

describe('a flood of refused tokens', () => {
  test('is slowed down by address; another address and a good token are not in its way', async () => {
    await using running = await runGateway();
    const ask = (address: string, headers: Readonly<Record<string, string>> = {}) =>
      running.gateway.fetch(
        new Request('http://127.0.0.1:3213/mcp', { method: 'PUT', headers }),
        from(address),
      );
    for (let attempt = 0; attempt < 300; attempt++)
      expect((await ask('192.0.2.1', { authorization: 'Bearer x' })).status).toBe(401);
    const slowed = await ask('192.0.2.1');
    expect(slowed.status).toBe(429);
    expect(slowed.headers.get('retry-after')).toBe('1');
    expect(await slowed.json()).toEqual({ error: 'rate_limited' });
    expect((await ask('192.0.2.2')).status).toBe(401);
    const token = await running.issuer.mint();
    expect((await ask('192.0.2.1', { authorization: `Bearer ${token}` })).status).toBe(405);
    running.clock.advance(1_000);
    expect((await ask('192.0.2.1')).status).toBe(401);
  });

  test('counts a whole /64 of IPv6 as one, which is what one subscriber has', async () => {
    await using running = await runGateway();
    const ask = async (address: string) =>
      (await running.gateway.fetch(new Request('http://127.0.0.1:3213/mcp'), from(address))).status;
    for (let host = 0; host < 300; host++) expect(await ask(`2001:db8:0:7::${host.toString(16)}`)).toBe(401);
    expect([await ask('2001:DB8::7:1:2:3:4'), await ask('2001:db8:0:8::1')]).toEqual([429, 401]);
  });

  test('however many addresses it comes from, makes nobody’s rate forgotten', async () => {
    await using running = await runGateway({ config: { limits: { calls_per_minute: 1 } } });
    const ada = await running.caller({ sub: 'ada' });
    await ada.modern('ping');
    for (let address = 0; address < 110_000; address++) {
      const [a, b, c] = [address >> 16, (address >> 8) & 255, address & 255];
      await running.gateway.fetch(new Request('http://127.0.0.1:3213/mcp'), from(`10.${a}.${b}.${c}`));
    }
    expect((await ada.modern('ping')).status).toBe(429);
  });

  test('counts the client behind a trusted proxy, not the proxy', async () => {
    await using running = await runGateway({ config: { gateway: { trusted_proxies: ['10.0.0.0/8'] } } });
    const ask = (forwarded: string) =>
      running.gateway.fetch(
        new Request('http://127.0.0.1:3213/mcp', { headers: { 'x-forwarded-for': forwarded } }),
        from('10.0.0.1'),
      );
    for (let attempt = 0; attempt < 300; attempt++) await ask('192.0.2.1');
    expect((await ask('203.0.113.9, 192.0.2.1')).status).toBe(429);
    expect((await ask('192.0.2.2')).status).toBe(401);
  });
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0DB8:0001::1', '2001:db8:1:0'],
  ['2001:db8::1:2:3:4:5', '2001:db8:0:1'],
  ['::1', '0:0:0:0'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

describe('the address of a client', () => {
  const trusted = createClientAddress(['10.0.0.0/8', '2001:db8::/32', '127.0.0.1']);
  test.each([
    ['192.0.2.1', undefined, '192.0.2.1'],
    ['192.0.2.1', '203.0.113.9', '192.0.2.1'],
    ['10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['127.0.0.1', 'spoofed, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
    ['2001:db8::1', '2001:db9::1', '2001:db9::1'],
    ['10.0.0.1', 'not an address', '10.0.0.1'],
    ['10.0.0.1', '203.0.113.9:4711', '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    [undefined, '203.0.113.9', undefined],
  ])('from %s with X-Forwarded-For "%s" is %s', (peer, forwarded, address) => {
    const headers = new Headers(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded });
    expect(trusted(peer, headers)).toBe(address);
  });

  test('is the peer’s own where no proxy is trusted', () => {
    expect(createClientAddress([])('10.0.0.1', new Headers({ 'x-forwarded-for': '203.0.113.9' }))).toBe(
      '10.0.0.1',
    );
  });
});
