import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '#config/load-config.ts';
import { attempt, configOf, errorsOf, soundYaml } from './load.ts';

describe('a config file', () => {
  test('fills every setting it leaves out with its default', async () => {
    const { config, folder } = await attempt({ yaml: soundYaml });
    expect(config?.gateway).toEqual({
      url: 'http://127.0.0.1:3213/mcp',
      listen: { host: '127.0.0.1', port: 3213 },
      origins: [],
      trustedProxies: [],
      allowHttp: false,
      serverName: undefined,
      serverCardName: undefined,
      websiteUrl: undefined,
    });
    expect(config?.stateDir).toBe(join(folder, '.local/state/cortex'));
    expect(config?.audit.dir).toBe(join(folder, '.local/state/cortex/audit'));
    expect(config?.store).toEqual({ engine: 'sqlite', path: join(folder, '.local/state/cortex/cortex.db') });
    expect(config?.keys.dir).toBe(join(folder, 'keys'));
    expect(config?.auth.missingScope).toBe('hide');
  });

  test('is read whole: types, units, globs and the order of plans and backends', async () => {
    const config = await configOf(`
state_dir: state
gateway:
  url: https://mcp.example.com/mcp
  listen: "[::1]:0"
  origins: [https://claude.ai, "*.example.com"]
  trusted_proxies: [10.0.0.0/8, "::1"]
backends:
  zeta: { url: https://zeta.internal/base/, prefix: "", include: ["get_*"], exclude: [get_secret], timeout: 2m, tickets: true }
  alpha: { url: http://127.0.0.1:4000, path: /mcp-tools, max_connections: 4, max_result: 1MB, audience: [urn:alpha] }
limits:
  calls_per_minute: 10
  tool_calls_per_minute: { "*_delete.x": 1 }
  plan_calls_per_minute: { pro: 100 }
  stale_grace: 0s
audit: { retention: 36h, on_failure: continue }
store: sqlite:data/db.sqlite
log: { level: debug, format: json }
`);
    expect(config.gateway.listen).toEqual({ host: '::1', port: 0 });
    expect(config.gateway.origins).toEqual(['https://claude.ai', 'https://*.example.com']);
    expect(config.gateway.trustedProxies).toEqual(['10.0.0.0/8', '::1/128']);
    expect([...config.backends.keys()]).toEqual(['zeta', 'alpha']);
    const [zeta, alpha] = [...config.backends.values()];
    expect(zeta).toMatchObject({
      url: 'https://zeta.internal/base',
      path: '/api/cortex/backend',
      prefix: '',
      include: ['get_*'],
      exclude: ['get_secret'],
      timeoutMs: 120_000,
      tickets: true,
      identity: 'propagate',
    });
    expect(alpha).toMatchObject({
      path: '/mcp-tools',
      prefix: 'alpha',
      maxConnections: 4,
      maxResultBytes: 1024 ** 2,
      audience: ['urn:alpha'],
      timeoutMs: 60_000,
    });
    expect(config.limits.callsPerMinute).toBe(10);
    expect([...config.limits.toolCallsPerMinute]).toEqual([['*_delete.x', 1]]);
    expect([...config.limits.planCallsPerMinute]).toEqual([['pro', 100]]);
    expect(config.limits.staleGraceMs).toBe(0);
    expect(config.audit.retentionDays).toBe(2);
    expect(config.audit.onFailure).toBe('continue');
    expect(config.log).toEqual({ level: 'debug', format: 'json' });
    expect(config.store.path).toMatch(/\/data\/db\.sqlite$/);
    expect(config.stateDir).toMatch(/\/cortex-test-[^/]+\/state$/);
  });

  test('keeps the canonical resource and the issuer byte for byte', async () => {
    const { config } = await attempt({
      yaml: `
gateway: { url: "HTTPS://MCP.example.com:443/mcp" }
auth: { challenge_scopes: [a], issuers: [{ url: "https://Auth.example.com/tenant/" }] }`,
    });
    expect(config?.gateway.url).toBe('HTTPS://MCP.example.com:443/mcp');
    expect(config?.auth.issuers[0]?.url).toBe('https://Auth.example.com/tenant/');
  });

  test('keeps scalars as they are written: a token of digits loses no zero', async () => {
    const config = await configOf('backends: { notes: { url: https://n.example, technical_token: 00123 } }');
    expect([...config.backends.values()][0]?.technicalToken?.reveal()).toBe('00123');
  });

  test('reads an issuer whole', async () => {
    const { config } = await attempt({
      yaml: `
plans: { pro: [a] }
auth:
  required_pool: staff
  scope_implies: { admin: [a, b] }
  issuers:
    - url: https://auth.example.com
      audience: [urn:one, urn:two]
      algorithms: [ES256]
      preset: rfc9068
      scopes: [a]
      max_token_age: 1h
      jwks_uri: https://auth.example.com/keys
      clients: [web, "urn:client:2"]
      roles: { admin: [a], "https://example.com/staff member": [b] }
      claims: { role: ["https://example.com/role", realm.role] }`,
    });
    expect(config?.auth.issuers[0]).toEqual({
      url: 'https://auth.example.com',
      audience: ['urn:one', 'urn:two'],
      algorithms: ['ES256'],
      preset: 'rfc9068',
      clients: ['web', 'urn:client:2'],
      roles: new Map([
        ['admin', ['a']],
        ['https://example.com/staff member', ['b']],
      ]),
      scopes: ['a'],
      maxTokenAgeSeconds: 3_600,
      jwksUri: 'https://auth.example.com/keys',
      backchannelLogout: [],
      dpop: 'allow',
      claims: {
        subject: undefined,
        scopes: undefined,
        client: undefined,
        tokenId: undefined,
        session: undefined,
        email: undefined,
        role: ['https://example.com/role', 'realm.role'],
        pool: undefined,
      },
    });
    expect(config?.auth.requiredPool).toBe('staff');
    expect([...(config?.auth.scopeImplies ?? [])]).toEqual([['admin', ['a', 'b']]]);
  });

  test('may use anchors and aliases', async () => {
    const config = await configOf(`
backends:
  one: { url: &where https://apps.example, include: &names [get_a] }
  two: { url: *where, include: *names }
`);
    expect([...config.backends.values()].map(({ url, include }) => [url, include])).toEqual([
      ['https://apps.example', ['get_a']],
      ['https://apps.example', ['get_a']],
    ]);
  });

  test('may be empty where the environment says the rest', async () => {
    const environment = { OAUTH_ISSUER: 'https://auth.example.com', OAUTH_REQUIRED_SCOPES: 'mcp' };
    const { config } = await attempt({ yaml: '# nothing yet\n', environment });
    expect(config?.auth.issuers[0]?.url).toBe('https://auth.example.com');
  });
});

describe('a config file is refused, by line, for', () => {
  const refusals: readonly (readonly [name: string, yaml: string, error: string])[] = [
    [
      'an unknown key, with the nearest one',
      'gateway: { listn: 127.0.0.1:1 }',
      'cortex.yaml:4: gateway.listn is not a setting. Did you mean "listen"?',
    ],
    [
      'a key in the wrong place',
      'listen: 127.0.0.1:1',
      'cortex.yaml:4: listen is not a setting. Did you mean gateway.listen?',
    ],
    [
      'a key like nothing',
      'gateway: { zzzzzzzz: 1 }',
      'cortex.yaml:4: gateway.zzzzzzzz is not a setting. Known here: url, listen, origins, trusted_proxies, allow_http, server_name, server_card_name, website_url.',
    ],
    [
      'a key that means something to JavaScript',
      '__proto__: { x: 1 }',
      'cortex.yaml:4: __proto__ is not a setting. Known here: version, state_dir, gateway, auth, plans, backends, servers, limits, audit, integrity, keys, admin, store, tickets, log.',
    ],
    [
      'a constructor as a backend key',
      'backends: { notes: { url: https://n.example, constructor: 1 } }',
      'cortex.yaml:4: backends.notes.constructor is not a setting. Known here: url, path, technical_token, identity, token_audience, timeout, prefix, include, exclude, allow_http, max_connections, max_result, tickets, audience, catalog_key.',
    ],
    [
      'broken YAML',
      'gateway: {',
      'cortex.yaml:5: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }.',
    ],
    ['a key said twice', 'log: {}\nlog: {}', 'cortex.yaml:5: log is there twice.'],
    [
      'a list where keys belong',
      'gateway: [a]',
      'cortex.yaml:4: gateway must hold keys and values. Known here: url, listen, origins, trusted_proxies, allow_http, server_name, server_card_name, website_url.',
    ],
    [
      'keys where a list belongs',
      'gateway: { origins: { a: b } }',
      'cortex.yaml:4: gateway.origins must be a list of origin.',
    ],
    ['a version of the future', 'version: 2', 'cortex.yaml:4: version: "2" must be 1.'],
    [
      'a bare number as a duration',
      'limits: { poll_interval: 60 }',
      'cortex.yaml:4: limits.poll_interval: "60" is not a duration: write a number and a unit, such as 500ms, 10s, 5m, 12h or 365d.',
    ],
    [
      'a duration out of range',
      'limits: { call_timeout: 1h }',
      'cortex.yaml:4: limits.call_timeout: "1h" must be from 100ms to 10m.',
    ],
    [
      'a bare number as a size',
      'limits: { request_size: 4 }',
      'cortex.yaml:4: limits.request_size: "4" is not a size: write a number and a unit, such as 512B, 16KB, 4MB or 1GB.',
    ],
    [
      'a size out of range',
      'limits: { header_size: 1B }',
      'cortex.yaml:4: limits.header_size: "1B" must be from 1KB to 1MB.',
    ],
    [
      'a negative number',
      'limits: { calls_per_minute: -1 }',
      'cortex.yaml:4: limits.calls_per_minute: "-1" must be a whole number from 0 to 1000000.',
    ],
    [
      'a name longer than clients allow',
      'limits: { name_length: 61 }',
      'cortex.yaml:4: limits.name_length: "61" must be a whole number from 16 to 60.',
    ],
    [
      'a limit of a plan that is none',
      'limits: { plan_calls_per_minute: { pr: 1 } }',
      'cortex.yaml:4: limits.plan_calls_per_minute.pr is not a plan. Did you mean "pro"?',
    ],
    [
      'a word that is none of the choices',
      'log: { level: loud }',
      'cortex.yaml:4: log.level: "loud" must be debug or info or warn or error.',
    ],
    [
      'a flag that is neither',
      'audit: { stdout: maybe }',
      'cortex.yaml:4: audit.stdout: "maybe" must be true or false.',
    ],
    [
      'a listener without a port',
      'gateway: { listen: localhost }',
      'cortex.yaml:4: gateway.listen: "localhost" is not an address: write HOST:PORT, such as 127.0.0.1:3213.',
    ],
    [
      'a port beyond the last',
      'gateway: { listen: 127.0.0.1:65536 }',
      'cortex.yaml:4: gateway.listen: "127.0.0.1:65536" is not an address: write HOST:PORT, such as 127.0.0.1:3213.',
    ],
    [
      'a URL without a scheme',
      'gateway: { url: mcp.example.com/mcp }',
      'cortex.yaml:4: gateway.url: "mcp.example.com/mcp" is not an absolute URL: write https://host/path.',
    ],
    [
      'a URL with a password',
      'gateway: { url: "https://a:b@mcp.example.com/mcp" }',
      'cortex.yaml:4: gateway.url: "https://a:b@mcp.example.com/mcp" must not hold a user name or password.',
    ],
    [
      'a URL with a fragment',
      'gateway: { url: "https://mcp.example.com/mcp#x" }',
      'cortex.yaml:4: gateway.url: "https://mcp.example.com/mcp#x" must not hold a fragment (#).',
    ],
    [
      'a URL with a quote',
      `gateway: { url: 'https://mcp.example.com/"/mcp' }`,
      'cortex.yaml:4: gateway.url: "https://mcp.example.com/\\"/mcp" must not hold a quote or a backslash.',
    ],
    [
      'every website as an origin',
      'gateway: { origins: ["*"] }',
      'cortex.yaml:4: gateway.origins: "*" would let every website in: name the origins, such as https://claude.ai.',
    ],
    [
      'a top-level domain of origins',
      'gateway: { origins: ["https://*.com"] }',
      'cortex.yaml:4: gateway.origins: "https://*.com" stands for a whole top-level domain.',
    ],
    [
      'an origin with a path',
      'gateway: { origins: [https://claude.ai/x] }',
      'cortex.yaml:4: gateway.origins: "https://claude.ai/x" is not an origin: write https://host or https://*.suffix, without a path.',
    ],
    [
      'a range that is none',
      'gateway: { trusted_proxies: [10.0.0.0/33] }',
      'cortex.yaml:4: gateway.trusted_proxies: "10.0.0.0/33" is not a range: write an address, or 10.0.0.0/8.',
    ],
    [
      'an audience with a space',
      'backends: { notes: { url: https://n.example, audience: ["a b"] } }',
      'cortex.yaml:4: backends.notes.audience: "a b" must be one word, without spaces or commas.',
    ],
    [
      'a capital in a backend id',
      'backends: { Notes: { url: https://n.example } }',
      'cortex.yaml:4: backends.Notes is not a backend id. Write a lower-case letter, then at most 23 of a-z, 0-9, _ and -.',
    ],
    [
      'a backend without a URL',
      'backends: { notes: }',
      'cortex.yaml:4: backends.notes.url is missing. Write it in the config file, or set CORTEX_BACKEND_NOTES_URL.',
    ],
    [
      'a base URL with a query',
      'backends: { notes: { url: "https://n.example?x=1" } }',
      'cortex.yaml:4: backends.notes.url: "https://n.example?x=1" must not hold a query (?).',
    ],
    [
      'a path without a slash',
      'backends: { notes: { url: https://n.example, path: x } }',
      'cortex.yaml:4: backends.notes.path: "x" must start with a slash and hold no query or fragment.',
    ],
    [
      'a prefix of another alphabet',
      'backends: { notes: { url: https://n.example, prefix: é } }',
      'cortex.yaml:4: backends.notes.prefix: "é" must be empty, or a letter and at most 23 letters, digits, _ or -.',
    ],
    [
      'a mode of identity that is for servers',
      'backends: { notes: { url: https://n.example, identity: linked } }',
      'cortex.yaml:4: backends.notes.identity: "linked" must be propagate or assert or exchange.',
    ],
    [
      'a mode of identity unheard of',
      'backends: { notes: { url: https://n.example, identity: trust } }',
      'cortex.yaml:4: backends.notes.identity: "trust" must be propagate or assert or exchange.',
    ],
    [
      'PostgreSQL',
      'store: postgres://db/cortex',
      'cortex.yaml:4: store: "postgres://db/cortex" names PostgreSQL, which is not available in this version; use sqlite:PATH.',
    ],
    [
      'a store of no kind',
      'store: mysql:x',
      'cortex.yaml:4: store: "mysql:x" is not a store: write sqlite:PATH.',
    ],
    [
      'a home folder in short',
      'audit: { dir: ~/audit }',
      'cortex.yaml:4: audit.dir: "~/audit" must be spelled out: ~ is not replaced here.',
    ],
    [
      'a capability of a later version',
      'cluster: { redis: x }',
      'cortex.yaml:4: cluster is not a setting. Known here: version, state_dir, gateway, auth, plans, backends, servers, limits, audit, integrity, keys, admin, store, tickets, log.',
    ],
    [
      'a variable outside a secret',
      `gateway: { server_name: "\${NAME}" }`,
      `cortex.yaml:4: gateway.server_name: \${NAME} is replaced in secrets alone. Set it by its own variable instead.`,
    ],
  ];
  test.each(refusals)('%s', async (_name, yaml, error) => {
    expect(await errorsOf(`${yaml}\n`)).toContain(error);
  });

  test('a symmetric signature algorithm, at its own line', async () => {
    const { issues } = await attempt({
      yaml: `auth:
  challenge_scopes: [a]
  issuers:
    - url: https://auth.example.com
      algorithms:
        - ES256
        - HS256
`,
    });
    expect(issues.filter((line) => line.startsWith('error'))).toEqual([
      'error cortex.yaml:7: auth.issuers.0.algorithms: "HS256" is not accepted: RS256, PS256, ES256 (or 384, 512) and EdDSA are.',
    ]);
  });

  test('a scope that no token can carry', async () => {
    const { issues } = await attempt({ yaml: 'plans: { pro: ["a b"] }' });
    expect(issues).toContain(
      'error cortex.yaml:1: plans.pro: "a b" is not a scope: no spaces, quotes or backslashes.',
    );
  });

  test('more backends than the gateway serves', async () => {
    const backends = Array.from({ length: 501 }, (_, index) => `b${index}: { url: https://b.example }`).join(
      ', ',
    );
    expect(await errorsOf(`backends: { ${backends} }`)).toContain(
      'cortex.yaml:4: backends holds more than 500 entries.',
    );
  });

  test('no file where one was named', async () => {
    const outcome = await loadConfig({
      cwd: '/nowhere',
      environment: {},
      file: 'x.yaml',
      flags: {},
      mayExpandSecrets: false,
    });
    expect(outcome.ok ? [] : outcome.error.issues.map((issue) => issue.message)).toContain(
      '/nowhere/x.yaml cannot be read (ENOENT)',
    );
  });

  test('aliases that unfold without end', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level}, `.repeat(10)}]`,
    );
    const { issues } = await attempt({ yaml: `a0: &a0 [x]\n${levels.join('\n')}\nplans: *a12\n` });
    expect(issues.join('\n')).toContain('error cortex.yaml:14: plans must hold keys and values');
  });

  test('more values than any gateway has', async () => {
    const plans = Array.from({ length: 20_001 }, (_, index) => `p${index}: [a]`).join(', ');
    const { issues } = await attempt({ yaml: `plans: { ${plans} }` });
    expect(issues.join('\n')).toContain('the file holds more than 20000 values');
  });
});
