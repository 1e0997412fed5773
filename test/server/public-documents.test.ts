import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';

const url = 'https://mcp.example.com/mcp';
const metadataPaths = ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'];
const secret = {
  tools: [{ name: 'payroll', scope: 'mcp:payroll' }],
  prompts: [{ name: 'salary', scope: 'mcp:payroll' }],
};
let running: RunningGateway;
beforeAll(async () => {
  running = await runGateway({
    backends: { payroll: secret },
    config: {
      gateway: { url, server_card_name: 'com.example/cortex', website_url: 'https://example.com' },
      auth: { challenge_scopes: 'plans', baseline_scopes: ['mcp:base'] },
      plans: { free: ['mcp:notes', 'offline_access'], pro: ['mcp:notes', 'mcp:billing'] },
    },
  });
});
afterAll(() => running.close());

const json = async (path: string, init?: RequestInit): Promise<unknown> =>
  (await running.fetch(path, init)).json();

describe('the protected-resource metadata', () => {
  test.each(metadataPaths)(
    '%s needs no token, any page may read it, and resource is the canonical URL (R34)',
    async (path) => {
      const response = await running.fetch(path, { headers: { origin: 'https://anyone.example' } });
      expect(response.status).toBe(200);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('cache-control')).toBe('public, max-age=300');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(await response.json()).toEqual({
        resource: url,
        authorization_servers: [running.issuer.url],
        scopes_supported: ['mcp:base'],
        bearer_methods_supported: ['header'],
        dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
      });
    },
  );

  test.each([
    ['?mode=search', '?mode=search'],
    ['?backends=a,b&mode=search', '?backends=a,b&mode=search'],
    ['?backends=a%2Cb', '?backends=a%2Cb'],
    ['?mode=search&x=1', ''],
    ['?mode=%22onclick', '?mode=%22onclick'],
    ['?resource=https://attacker.example', ''],
    ['?', ''],
  ])('echoes the query %s as %s (R34)', async (query, echoed) => {
    for (const path of metadataPaths)
      expect(await json(`${path}${query}`)).toMatchObject({ resource: `${url}${echoed}` });
  });
});

describe('the 401', () => {
  const challenge = (scope: string, query = '') =>
    `Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp${query}", scope="${scope}", DPoP algs="ES256 EdDSA Ed25519 PS256 RS256"`;

  test.each(['POST', 'GET', 'DELETE', 'PUT'])(
    'of %s names the metadata, and every scope of the plans beside the baseline (R35, R37)',
    async (method) => {
      const response = await running.fetch('/mcp', { method });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe(challenge('mcp:base mcp:notes mcp:billing'));
      expect(await response.json()).toEqual({ error: 'unauthorized', error_description: expect.any(String) });
    },
  );

  test('repeats the query that was used, so that the token will be for that URL (R34)', async () => {
    const response = await running.fetch('/mcp?backends=a&mode=search', { method: 'POST' });
    expect(response.headers.get('www-authenticate')).toBe(
      challenge('mcp:base mcp:notes mcp:billing', '?backends=a&mode=search'),
    );
    const token = await running.issuer.mint({ aud: `${url}?mode=search`, scope: 'mcp:base' });
    const headers = { authorization: `Bearer ${token}` };
    expect((await running.fetch('/mcp?mode=search', { method: 'PUT', headers })).status).toBe(405);
    expect((await running.fetch('/mcp', { method: 'PUT', headers })).status).toBe(405);
  });

  test.each([
    ['of another issuer', { iss: 'https://other.example' }],
    ['for another audience', { aud: 'https://other.example/mcp' }],
    ['that has expired', { exp: Math.floor(Date.now() / 1000) - 120 }],
  ])('is what a token %s gets, and it does not say why (R35)', async (_which, claims) => {
    const token = await running.issuer.mint({ aud: url, scope: 'mcp:base', ...claims });
    const response = await running.fetch('/mcp', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(await response.text()).not.toMatch(/issuer|audience|expired/i);
  });

  test('is what a token in the query gets, even beside a good header (R35)', async () => {
    const token = await running.issuer.mint({ aud: url, scope: 'mcp:base' });
    for (const headers of [new Headers(), new Headers({ authorization: `Bearer ${token}` })]) {
      const response = await running.fetch(`/mcp?access_token=${token}`, { method: 'POST', headers });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).not.toContain(token);
    }
  });

  test('becomes a 403 that names the baseline where only a scope of it is missing (R36)', async () => {
    const token = await running.issuer.mint({ aud: url, scope: 'mcp:notes' });
    const response = await running.fetch('/mcp', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_scope".*, scope="mcp:base"$/,
    );
  });
});

describe('what a prober reads', () => {
  test('the server card says how to reach the gateway, and nothing of what is behind it', async () => {
    expect(await json('/.well-known/mcp/server-card.json')).toEqual({
      $schema: 'https://static.modelcontextprotocol.io/schemas/mcp-server-card/v1.json',
      name: 'com.example/cortex',
      description: expect.any(String),
      websiteUrl: 'https://example.com',
      protocolVersions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26'],
      transport: { type: 'streamable-http', endpoint: url },
      authentication: { required: true, schemes: ['oauth2'] },
    });
  });

  test('health says up or not, and no more', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const response = await running.fetch(path);
      expect([response.status, await response.text(), response.headers.get('cache-control')]).toEqual([
        200,
        'ok\n',
        'no-store',
      ]);
    }
  });

  test('no answer without a token names a backend, a tool, a scope that is in no plan, or a version', async () => {
    const everything = [
      '/',
      '/mcp',
      '/none',
      '/healthz',
      '/readyz',
      '/catalog/changed',
      '/admin',
      '/metrics',
      '/.well-known/mcp/server-card.json',
      ...metadataPaths,
    ];
    for (const path of everything) {
      for (const method of ['GET', 'POST', 'DELETE', 'HEAD', 'TRACE-ME']) {
        const response = await running.fetch(path, { method });
        const told = `${JSON.stringify([...response.headers])}${await response.text()}`;
        expect(told, `${method} ${path}`).not.toMatch(/payroll|salary|0\.0\.0-test|stack|node_modules/i);
      }
    }
  });

  test('an unknown path is 404', async () => {
    for (const path of ['/none', '/mcp/', '/MCP', '//mcp', '/mcp/x'])
      expect((await running.fetch(path)).status).toBe(404);
  });
});

test('while it stops, the gateway is not ready, lives, and takes no new call', async () => {
  await using stopping = await runGateway();
  const ada = await stopping.caller({});
  await stopping.gateway.drain(100);
  expect([(await stopping.fetch('/healthz')).status, (await stopping.fetch('/readyz')).status]).toEqual([
    200, 503,
  ]);
  const refused = await ada.modern('tools/list');
  expect([refused.status, refused.headers.get('retry-after'), refused.text]).toEqual([
    503,
    '2',
    '{"error":"stopping"}',
  ]);
});
