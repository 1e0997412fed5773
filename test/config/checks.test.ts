import { describe, expect, test } from 'vitest';
import { challengedScopes } from '#config/challenged-scopes.ts';
import { attempt, configOf, errorsOf, soundYaml } from './load.ts';

async function warningsOf(more: string): Promise<readonly string[]> {
  const { issues } = await attempt({ yaml: `${soundYaml}${more}\n` });
  return issues.filter((line) => line.startsWith('warning ')).map((line) => line.slice('warning '.length));
}

describe('plain http', () => {
  test('is refused for the canonical URL outside this machine', async () => {
    expect(await errorsOf('gateway: { url: http://mcp.example.com/mcp }')).toEqual([
      'cortex.yaml:4: gateway.url must be https: tokens would travel in the clear. On a private network gateway.allow_http: true allows it.',
    ]);
    expect(await errorsOf('gateway: { url: http://mcp.internal/mcp, allow_http: true }')).toEqual([]);
  });

  const loopback = [
    'http://127.0.0.1:3213/mcp',
    'http://localhost/mcp',
    'http://[::1]:3213/mcp',
    'http://127.8.8.8/mcp',
  ];
  test.each(loopback)('is accepted on this machine: %s', async (url) => {
    expect(await errorsOf(`gateway: { url: "${url}" }`)).toEqual([]);
  });

  const lookalikes = [
    'http://localhost.example.com/mcp',
    'http://127.0.0.1.example.com/mcp',
    'http://0.0.0.0/mcp',
    'http://10.0.0.1/mcp',
  ];
  test.each(lookalikes)('is refused for a host that only looks like this machine: %s', async (url) => {
    expect((await errorsOf(`gateway: { url: "${url}" }`))[0]).toContain('must be https');
  });

  test('is refused for an issuer and for its keys', async () => {
    const { issues } = await attempt({
      yaml: `
plans: { pro: [a] }
auth:
  issuers:
    - url: http://auth.example.com
    - url: https://two.example.com
      jwks_uri: http://two.example.com/keys`,
    });
    expect(issues.filter((line) => line.startsWith('error'))).toEqual([
      'error cortex.yaml:5: auth.issuers.0.url must be https: its keys could be replaced on the way. On a private network gateway.allow_http: true allows it.',
      'error cortex.yaml:7: auth.issuers.1.jwks_uri must be https: its keys could be replaced on the way. On a private network gateway.allow_http: true allows it.',
    ]);
  });

  test('is refused for a backend outside this machine, and told of where it is allowed', async () => {
    expect(await errorsOf('backends: { notes: { url: http://10.0.0.1:4000 } }')).toEqual([
      "cortex.yaml:4: backends.notes.url must be https: users' tokens would travel in the clear. On a private network backends.notes.allow_http: true allows it.",
    ]);
    expect(
      await warningsOf(
        'backends: { notes: { url: http://10.0.0.1:4000, technical_token: x, allow_http: true } }',
      ),
    ).toEqual([
      "cortex.yaml:4: backends.notes.url is plain http: users' tokens travel in the clear to http://10.0.0.1:4000.",
    ]);
  });
});

describe('the canonical URL', () => {
  test('should end in /mcp, since claude.ai calls nothing else', async () => {
    for (const url of [
      'https://mcp.example.com',
      'https://mcp.example.com/mcp/',
      'https://mcp.example.com/v1/mcp',
    ]) {
      expect(await warningsOf(`gateway: { url: "${url}" }`)).toContain(
        'cortex.yaml:4: gateway.url should end in /mcp. claude.ai calls no other path.',
      );
    }
  });

  test('holds no query', async () => {
    expect(await errorsOf('gateway: { url: "https://mcp.example.com/mcp?x=1" }')).toEqual([
      'cortex.yaml:4: gateway.url must not hold a query (?).',
    ]);
  });

  test('with a proxy range that holds everyone is told of', async () => {
    expect(await warningsOf('gateway: { trusted_proxies: [0.0.0.0/0] }')).toContain(
      'cortex.yaml:4: gateway.trusted_proxies: 0.0.0.0/0 lets every caller choose the address it is limited by.',
    );
  });
});

describe('issuers', () => {
  test('hold no query', async () => {
    const { issues } = await attempt({
      yaml: 'auth: { challenge_scopes: [a], issuers: [{ url: "https://a.example?x=1" }] }',
    });
    expect(issues).toContain('error cortex.yaml:1: auth.issuers.0.url must not hold a query (?).');
  });

  test('are named once', async () => {
    const { issues } = await attempt({
      yaml: 'auth: { challenge_scopes: [a], issuers: [{ url: https://a.example }, { url: https://a.example }] }',
    });
    expect(issues).toContain('error cortex.yaml:1: auth.issuers.1.url: https://a.example is named twice.');
  });

  test('must be there, and an issuer without a URL is told of once', async () => {
    const none = await attempt({ yaml: 'plans: { pro: [a] }' });
    expect(none.issues.filter((line) => line.startsWith('error'))).toEqual([
      'error auth.issuers names no authorization server: no token could be accepted. Write auth.issuers: [{ url: https://auth.example.com }].',
    ]);
    const nameless = await attempt({ yaml: 'plans: { pro: [a] }\nauth: { issuers: [{ preset: rfc9068 }] }' });
    expect(nameless.issues.filter((line) => line.startsWith('error'))).toEqual([
      'error cortex.yaml:2: auth.issuers.0.url is missing. Write it in the config file, or set OAUTH_ISSUER.',
    ]);
  });

  test('of a preset that nobody knows are refused', async () => {
    const { issues } = await attempt({
      yaml: 'auth: { challenge_scopes: [a], issuers: [{ url: https://a.example, preset: entro }] }',
    });
    expect(issues).toContain(
      'error cortex.yaml:1: auth.issuers.0.preset: "entro" must be generic or rfc9068 or keycloak or auth0 or okta or entra or zitadel or authentik or hydra or cognito.',
    );
  });

  test.each([
    ['auth0', 'https://acme.eu.auth0.com', 'warning', 'auth0 spells its issuers with a slash at the end'],
    [
      'authentik',
      'https://a.example/application/o/mcp',
      'warning',
      'authentik spells its issuers with a slash',
    ],
    ['okta', 'https://acme.okta.com', 'warning', 'tokens of an Okta organization are for Okta itself'],
    ['entra', 'https://login.microsoftonline.com/common/v2.0', 'error', 'is nobody’s issuer'],
    ['entra', 'https://login.microsoftonline.com/organizations/v2.0', 'error', 'is nobody’s issuer'],
    ['cognito', 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a', 'warning', 'clients: is not set'],
    ['zitadel', 'https://acme.zitadel.cloud', 'warning', 'roles: is empty'],
  ])('of the preset %s are told what %s would refuse', async (preset, url, severity, message) => {
    const { issues } = await attempt({
      yaml: `auth: { challenge_scopes: [a], issuers: [{ url: "${url}", preset: ${preset} }] }`,
    });
    const about = issues.filter((line) => line.includes('auth.issuers.0.'));
    expect(about).toHaveLength(1);
    expect(about[0]).toMatch(new RegExp(`^${severity} cortex.yaml:1: `));
    expect(about[0]).toContain(message);
  });

  test.each([
    ['auth0', 'https://acme.eu.auth0.com/', ''],
    ['authentik', 'https://a.example/application/o/mcp/', ''],
    ['okta', 'https://acme.okta.com/oauth2/default', ''],
    ['entra', 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0', ''],
    ['cognito', 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a', 'clients: [a1]'],
    ['zitadel', 'https://acme.zitadel.cloud', 'roles: { admin: [a] }'],
    ['keycloak', 'https://id.example/realms/acme', ''],
    ['hydra', 'https://id.example', ''],
  ])('of the preset %s pass as they should be written', async (preset, url, more) => {
    const { issues } = await attempt({
      yaml: `auth: { challenge_scopes: [a], issuers: [{ url: "${url}", preset: ${preset}, ${more} }] }`,
    });
    expect(issues.filter((line) => line.includes('auth.issuers'))).toEqual([]);
  });
});

describe('what the 401 asks for', () => {
  const issuer = 'issuers: [{ url: https://auth.example.com }]';
  test('must not be empty where tools are hidden', async () => {
    for (const yaml of [
      `auth: { ${issuer} }`,
      `auth: { ${issuer}, challenge_scopes: [] }\nplans: { pro: [a] }`,
    ]) {
      const { issues } = await attempt({ yaml });
      expect(issues.some((line) => /^error .*the 401 asks for no scope/.test(line))).toBe(true);
    }
  });

  test('may be empty where tools are shown', async () => {
    const { config } = await attempt({ yaml: `auth: { ${issuer}, missing_scope: challenge }` });
    expect(config?.auth.missingScope).toBe('challenge');
  });

  test('is a warning alone where the environment says it all', async () => {
    const { config, issues } = await attempt({ environment: { OAUTH_ISSUER: 'https://auth.example.com' } });
    expect(config).toBeDefined();
    expect(issues.some((line) => line.startsWith('warning the 401 asks for no scope'))).toBe(true);
  });

  test('is the baseline and the scopes of all plans, each once', async () => {
    const config = await configOf('backends: {}');
    expect(challengedScopes(config)).toEqual(['mcp:notes:read']);
    const plans = new Map([
      ['pro', ['a', 'b']],
      ['free', ['a']],
    ]);
    const auth = { ...config.auth, baselineScopes: ['base', 'a'] };
    expect(challengedScopes({ auth, plans })).toEqual(['base', 'a', 'b']);
    expect(challengedScopes({ auth: { ...auth, challengeScopes: ['c'] }, plans })).toEqual([
      'base',
      'a',
      'c',
    ]);
  });
});

describe('plans', () => {
  test('that nobody can have are told of', async () => {
    const { issues } = await attempt({
      yaml: 'auth: { issuers: [{ url: https://a.example }] }\nplans:\n  free: [a]\n  pro: [a, b]\n',
    });
    expect(issues).toContain(
      "warning cortex.yaml:4: plans.pro is nobody's: whoever holds its scopes holds those of free, which comes first. Move pro above free.",
    );
  });

  test('in the right order are left alone, and an empty one is refused', async () => {
    const { issues } = await attempt({
      yaml: 'auth: { issuers: [{ url: https://a.example }] }\nplans:\n  pro: [a, b]\n  free: [a]\n  none: []\n',
    });
    expect(issues.filter((line) => line.includes('plans.'))).toEqual([
      'error cortex.yaml:5: plans.none: must not be empty.',
    ]);
  });
});

describe('backends', () => {
  test('of one prefix are refused', async () => {
    expect(
      await errorsOf(
        'backends:\n  a: { url: https://a.example }\n  b: { url: https://b.example, prefix: a }\n',
      ),
    ).toEqual(['cortex.yaml:6: backends.b.prefix: "a" is also the prefix of a.']);
  });

  test('without a prefix are told of when there are two', async () => {
    const two =
      'backends:\n  a: { url: https://a.example, prefix: "" }\n  b: { url: https://b.example, prefix: "" }';
    expect(await warningsOf(two)).toContain(
      'cortex.yaml:6: backends.b and backends.a have no prefix: tools of one name hide each other.',
    );
  });

  test('without a technical token are told of', async () => {
    expect(await warningsOf('backends: { a: { url: https://a.example } }')).toEqual([
      'cortex.yaml:4: backends.a.technical_token is not set. Without it a backend that keeps the contract lists no tools.',
    ]);
  });

  test('are missed when there are none', async () => {
    expect(await warningsOf('')).toEqual([
      'there are no backends and no servers, so there are no tools. Write backends or servers in cortex.yaml, or set CORTEX_BACKENDS.',
    ]);
  });
});

describe('keys', () => {
  const data = [
    'state_dir: /srv/x\nkeys: { dir: /srv/x/keys }',
    'state_dir: .',
    'audit: { dir: /a }\nkeys: { dir: /a }',
  ];
  test.each(data)('never lie with the data: %s', async (yaml) => {
    expect(
      (await errorsOf(`${yaml}\n`)).some((line) => /keys\.dir: .* lies with the data in /.test(line)),
    ).toBe(true);
  });

  test('may lie beside the data', async () => {
    expect(await errorsOf('state_dir: /srv/x\nkeys: { dir: /srv/x-keys }\n')).toEqual([]);
  });
});

describe('problems', () => {
  test('are told of all at once, in the order of the file', async () => {
    const { issues } = await attempt({
      yaml: 'gateway: { url: ftp://x }\nauth: { issers: [] }\nbackends:\n  notes:\n    url: http://n.example\nlimits: { streams: many }\n',
      environment: { CORTEX__LOG__LEVEL: 'loud' },
      flags: { listen: 'x' },
    });
    expect(
      issues.filter((line) => line.startsWith('error')).map((line) => line.split(':').slice(0, 2).join(':')),
    ).toEqual([
      'error cortex.yaml:1',
      'error cortex.yaml:2',
      'error cortex.yaml:5',
      'error cortex.yaml:6',
      'error env CORTEX__LOG__LEVEL: log.level',
      'error flag --listen: gateway.listen',
      'error auth.issuers names no authorization server: no token could be accepted. Write auth.issuers',
      'error the 401 asks for no scope: clients that request what it asks for would see no tool. Name plans, auth.challenge_scopes or auth.baseline_scopes.',
    ]);
  });
});
