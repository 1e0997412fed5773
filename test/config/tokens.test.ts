import { describe, expect, test } from 'vitest';
import { attempt } from './load.ts';

const around = (issuer: string, more = '') => `
plans: { pro: [mcp:notes:read] }
backends: { notes: { url: http://127.0.0.1:4820, technical_token: technical } }
auth:
  issuers:
    - url: https://auth.example.com
      ${issuer}
${more}`;
const place = / cortex\.yaml:\d+: auth\.issuers\.0\./;

async function issuesOf(issuer: string, more = ''): Promise<readonly string[]> {
  const { issues } = await attempt({ yaml: around(issuer, more), mayExpandSecrets: true });
  return issues.map((line) => line.replace(place, ' '));
}

describe('introspection', () => {
  test('is read whole, with its defaults', async () => {
    const { config, issues } = await attempt({
      yaml: around('introspection: { url: https://auth.example.com/i, client_id: gw, client_secret: hush }'),
      mayExpandSecrets: true,
    });
    expect(issues).toEqual([]);
    const introspection = config?.auth.issuers[0]?.introspection;
    expect(introspection).toMatchObject({
      url: 'https://auth.example.com/i',
      client: { id: 'gw' },
      mode: 'fallback',
      cacheMs: 10_000,
    });
    expect(introspection?.client.secret?.reveal()).toBe('hush');
    expect(JSON.stringify(config)).not.toContain('hush');
  });

  test('is read from the names of existing deployments', async () => {
    const { config, issues } = await attempt({
      environment: {
        CORTEX_BACKENDS: 'demo',
        CORTEX_BACKEND_DEMO_URL: 'http://127.0.0.1:4000',
        CORTEX_TECHNICAL_TOKEN: 'x',
        OAUTH_ISSUER: 'https://auth.example.com',
        OAUTH_REQUIRED_SCOPES: 'mcp:a',
        OAUTH_INTROSPECT_URL: 'https://auth.example.com/introspect',
        OAUTH_INTROSPECT_CLIENT_ID: 'gateway',
        OAUTH_INTROSPECT_CLIENT_SECRET: 'hush',
        OAUTH_INTROSPECT_CACHE_TTL_SECONDS: '30',
      },
    });
    expect(issues).toEqual([]);
    const introspection = config?.auth.issuers[0]?.introspection;
    expect(introspection).toMatchObject({
      url: 'https://auth.example.com/introspect',
      client: { id: 'gateway' },
      cacheMs: 30_000,
    });
    expect(introspection?.client.secret?.reveal()).toBe('hush');
  });

  test('is off unless configured', async () => {
    const { config } = await attempt({ yaml: around('dpop: off') });
    expect(config?.auth.issuers[0]).toMatchObject({ introspection: undefined, dpop: 'off' });
  });

  test.each([
    ['{ url: https://a.example/i }', 'error introspection needs client_id, too.'],
    ['{ client_id: gw }', 'error introspection needs url, too.'],
    ['{ url: https://a.example/i, client_secret: s }', 'error introspection needs client_id, too.'],
    [
      '{ url: http://a.example/i, client_id: gw }',
      'error introspection.url must be https: tokens would travel in the clear. On a private network gateway.allow_http: true allows it.',
    ],
    [
      '{ url: https://a.example/i, client_id: gw, mode: sometimes }',
      'error introspection.mode: "sometimes" must be fallback or always.',
    ],
  ])('of %s is refused: %s', async (introspection, message) => {
    expect(await issuesOf(`introspection: ${introspection}`)).toEqual([message]);
  });

  test('may be plain http on this machine', async () => {
    expect(await issuesOf('introspection: { url: "http://127.0.0.1:4445/i", client_id: gw }')).toEqual([]);
  });
});

describe('tokens bound to a key', () => {
  const linked = 'servers: { mail: { url: https://mail.example/mcp, scopes: { default: mcp:mail } } }';

  test('are allowed unless configured otherwise', async () => {
    const { config } = await attempt({ yaml: around('preset: generic') });
    expect(config?.auth.issuers[0]?.dpop).toBe('allow');
  });

  test('alone keep people from the pages of the gateway, and that is told', async () => {
    const [told, ...rest] = await issuesOf('dpop: require', linked);
    expect(rest).toEqual([]);
    expect(told).toContain('warning dpop: require keeps people from the gateway’s own pages');
    expect(await issuesOf('dpop: require')).toEqual([]);
  });
});
