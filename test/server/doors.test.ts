import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHostGate } from '#server/host-gate.ts';
import { createOriginGate } from '#server/origin-gate.ts';
import type { McpCaller } from '../support/mcp-caller.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

const url = 'https://mcp.example.com/mcp';
const paths = [
  '/mcp',
  '/healthz',
  '/readyz',
  '/.well-known/mcp/server-card.json',
  '/.well-known/oauth-protected-resource',
  '/none',
];
let running: RunningGateway;
let ada: McpCaller;
beforeAll(async () => {
  running = await runGateway({
    config: {
      gateway: { url, origins: ['https://claude.ai', 'https://*.example.com'] },
      auth: { challenge_scopes: ['mcp:test'] },
    },
  });
  ada = await running.caller({ aud: url });
});
afterAll(() => running.close());

describe('Host (R1)', () => {
  test.each([
    ['mcp.example.com', true],
    ['MCP.EXAMPLE.COM:443', true],
    ['127.0.0.1:3213', true],
    ['localhost', true],
    ['[::1]:3213', true],
    ['attacker.example', false],
    ['mcp.example.com.attacker.example', false],
    ['xmcp.example.com', false],
    ['mcp.example.com@attacker.example', false],
    ['', false],
  ])('"%s" is ours: %s', async (host, isOurs) => {
    expect(createHostGate(url, '127.0.0.1')(host)).toBe(isOurs);
    if (host === '') return;
    const response = await running.fetch('/mcp', { headers: { host } });
    expect(response.status).toBe(isOurs ? 401 : 403);
    if (!isOurs) expect(await response.json()).toEqual({ error: 'host_refused' });
  });

  test('an address that the gateway listens on is ours, in either notation', () => {
    for (const [listenHost, host] of [
      ['192.0.2.7', '192.0.2.7:3213'],
      ['2001:db8::7', '[2001:db8::7]:3213'],
      ['gateway.internal', 'Gateway.Internal'],
    ] as const)
      expect(createHostGate(url, listenHost)(host)).toBe(true);
    expect(createHostGate(url, '2001:db8::7')(':')).toBe(false);
  });

  test('guards everything but health, which comes by address, and the poke of a backend, which shows its token', async () => {
    const statuses = await Promise.all(
      paths.map(async (path) => (await running.fetch(path, { headers: { host: '10.0.0.7' } })).status),
    );
    expect(statuses).toEqual([403, 200, 200, 403, 403, 403]);
    const poke = await running.fetch('/catalog/changed', {
      method: 'POST',
      headers: { host: 'gateway:3213' },
    });
    expect(poke.status).toBe(401);
  });
});

describe('Origin (R1)', () => {
  test.each([
    ['https://mcp.example.com', true],
    ['https://claude.ai', true],
    ['https://app.example.com', true],
    ['https://a.b.example.com', true],
    ['https://example.com', false],
    ['http://claude.ai', false],
    ['https://claude.ai:8443', false],
    ['https://claude.ai.attacker.example', false],
    ['https://attacker.example/.example.com', false],
    ['https://attacker.example#.example.com', false],
    ['https://.example.com', false],
    ['https://xexample.com', false],
    ['http://localhost:6274', false],
    ['null', false],
    ['', false],
  ])('"%s" may call: %s', async (origin, isAllowed) => {
    const response = await ada.send({ method: 'PUT', headers: { origin } });
    expect(response.status).toBe(isAllowed ? 405 : 403);
    if (!isAllowed) {
      expect(await response.json()).toEqual({ error: 'origin_refused' });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('pages on loopback may call a gateway on loopback', () => {
    const local = createOriginGate('http://127.0.0.1:3213/mcp', []);
    for (const origin of ['http://localhost:6274', 'http://127.0.0.1', 'https://[::1]:1'])
      expect(local(origin)).toBe(true);
    for (const origin of ['http://localhost.attacker.example', 'http://127.0.0.1.attacker.example', 'null'])
      expect(local(origin)).toBe(false);
  });

  test('an allowed one may read the answer and the headers that clients need, a refused answer included', async () => {
    const origin = 'https://claude.ai';
    for (const response of [
      await ada.send({ method: 'PUT', headers: { origin } }),
      await running.fetch('/mcp', { method: 'POST', headers: { origin } }),
      await running.fetch('/none', { headers: { origin } }),
    ]) {
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('access-control-expose-headers')).toBe(
        'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, Retry-After',
      );
      expect(response.headers.get('vary')).toContain('Origin');
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    }
  });
});

describe('a preflight', () => {
  const preflight = (path: string, origin: string, asked = '') =>
    running.fetch(path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': asked },
    });

  test('of an allowed origin is answered before any token is asked for', async () => {
    const response = await preflight(
      '/mcp',
      'https://claude.ai',
      'authorization, Mcp-Param-Region, mcp-param-a b, x-evil',
    );
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://claude.ai');
    expect(response.headers.get('access-control-allow-methods')).toBe('POST, GET, DELETE, OPTIONS');
    const allowed = response.headers.get('access-control-allow-headers')?.split(', ') ?? [];
    expect(allowed).toContain('dpop');
    expect(allowed).toEqual(
      expect.arrayContaining([
        'authorization',
        'content-type',
        'accept',
        'mcp-protocol-version',
        'mcp-method',
        'mcp-name',
        'mcp-session-id',
        'last-event-id',
        'traceparent',
        'mcp-param-region',
      ]),
    );
    expect(allowed).not.toContain('x-evil');
    expect(allowed.join()).not.toContain('mcp-param-a');
    expect(response.headers.get('vary')).toBe('Origin, Access-Control-Request-Headers');
  });

  test('of another origin is refused, but for public documents', async () => {
    expect((await preflight('/mcp', 'https://attacker.example')).status).toBe(403);
    const open = await preflight('/.well-known/oauth-protected-resource/mcp', 'https://attacker.example');
    expect([open.status, open.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
  });
});
