import { afterAll, beforeAll, expect, test } from 'vitest';
import { withSafeHeaders } from '#server/safe-headers.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

const token = 'a-token-of-43-characters-0123456789-01234567';
const safe = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

let running: RunningGateway;
let gateway = '';
let admin = '';
let user = '';
beforeAll(async () => {
  running = await runGateway({
    backends: { notes: { tools: [{ name: 'list', scope: 'mcp:test' }] } },
    config: {
      gateway: { origins: ['https://claude.ai'] },
      servers: { board: { url: 'https://board.example/mcp', scopes: { default: 'mcp:test' } } },
      admin: { listen: '127.0.0.1:0', tokens: { ops: { token, role: 'reveal' } } },
    },
  });
  gateway = running.listen();
  admin = running.listenAdmin();
  user = await running.issuer.mint({ scope: 'mcp:test' });
});
afterAll(() => running.close());

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
const mcp = (method: string, more: Readonly<Record<string, string>> = {}): Ask => ({
  method: 'POST',
  headers: {
    authorization: `Bearer ${user}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...more,
  },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method,
    params:
      method === 'initialize'
        ? { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
        : {},
  }),
});

const refused: readonly (readonly [path: string, ask: Ask])[] = [
  ['/none', {}],
  ['/none', { headers: { origin: 'https://claude.ai' } }],
  ['/mcp', {}],
  ['/mcp', { headers: { host: 'attacker.example' } }],
  ['/mcp', { headers: { origin: 'https://attacker.example' } }],
  ['/mcp', { method: 'OPTIONS', headers: { origin: 'https://claude.ai' } }],
  ['/mcp', { method: 'PUT' }],
  ['/healthz', {}],
  ['/readyz', {}],
  ['/catalog/changed', { method: 'POST' }],
  ['/admin/status', {}],
];
test.each(refused)(
  'the gateway’s answer to %s, %j is not stored, framed, sniffed or run',
  async (path, ask) => {
    const { headers } = await fetch(`${gateway}${path}`, ask);
    expect(Object.fromEntries(headers)).toMatchObject(safe);
  },
);

test.each([
  ['/mcp', 'tools/list', 200],
  ['/mcp', 'initialize', 200],
  ['/mcp', 'none/such', undefined],
] as const)('a call at %s of %s says what it is, and is not sniffed', async (path, method, status) => {
  const answered = () =>
    method === 'initialize'
      ? mcp(method)
      : mcp(method, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method });
  const response = await fetch(`${gateway}${path}`, answered());
  if (status !== undefined && method === 'initialize') expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toContain('application/json');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
});

test.each([
  '/.well-known/oauth-protected-resource',
  '/.well-known/jwks.json',
  '/.well-known/mcp/server-card.json',
])('the public document %s may be stored and read by every site, and nothing else', async (path) => {
  const { headers } = await fetch(`${gateway}${path}`);
  expect(Object.fromEntries(headers)).toMatchObject({
    ...safe,
    'cache-control': expect.stringMatching(/^public, max-age=\d+$/),
    'access-control-allow-origin': '*',
  });
});

test('a page keeps its own, stricter word about what it may hold', async () => {
  const { headers } = await fetch(`${gateway}/link`);
  expect(headers.get('content-security-policy')).toContain("form-action 'self'");
  expect(Object.fromEntries(headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'x-frame-options': 'DENY',
    'referrer-policy': 'same-origin',
  });
});

test.each(['/admin/status', '/readyz', '/none', '/admin/none'])(
  'the operators’ listener answers %s with the same, to itself alone',
  async (path) => {
    for (const shown of [token, 'none']) {
      const response = await fetch(`${admin}${path}`, { headers: { authorization: `Bearer ${shown}` } });
      expect(Object.fromEntries(response.headers)).toMatchObject({
        ...safe,
        'cross-origin-resource-policy': 'same-origin',
      });
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    }
  },
);

test('no answer names the software behind it', async () => {
  for (const base of [gateway, admin]) {
    const { headers } = await fetch(`${base}/none`);
    expect([headers.get('server'), headers.get('x-powered-by')]).toEqual([null, null]);
  }
});

test('what an answer says itself stays', () => {
  const own = withSafeHeaders(new Response('', { headers: { 'cache-control': 'public' } }));
  expect(own.headers.get('cache-control')).toBe('public');
});
