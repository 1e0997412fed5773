import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { allOptions, laterNames } from '#config/options.ts';
import { attempt, configOf, soundYaml } from './load.ts';

const aloneSuffices = {
  CORTEX_BACKENDS: 'demo',
  CORTEX_BACKEND_DEMO_URL: 'http://127.0.0.1:4000',
  OAUTH_ISSUER: 'http://127.0.0.1:5000',
  CORTEX_TECHNICAL_TOKEN: 'x',
};

describe('the environment alone', () => {
  test('makes a gateway of four variables', async () => {
    const { config, report } = await attempt({ environment: aloneSuffices });
    expect(report.file).toBeUndefined();
    expect(config?.gateway.url).toBe('http://127.0.0.1:3213/mcp');
    expect(config?.auth.issuers.map((issuer) => issuer.url)).toEqual(['http://127.0.0.1:5000']);
    const [backend] = [...(config?.backends.values() ?? [])];
    expect(backend).toMatchObject({ id: 'demo', url: 'http://127.0.0.1:4000', prefix: 'demo' });
    expect(backend?.technicalToken?.reveal()).toBe('x');
  });

  test('sets everything that the names of existing deployments set', async () => {
    const { config, issues } = await attempt({
      environment: {
        CORTEX_CANONICAL_URI: 'https://mcp.example.com/mcp',
        OAUTH_ISSUER: 'https://auth.example.com',
        OAUTH_AUDIENCE: 'urn:cortex',
        OAUTH_JWKS_URL: 'https://auth.example.com/keys',
        OAUTH_REQUIRED_SCOPES: 'mcp:a mcp:b',
        CORTEX_BACKENDS: 'my-notes, billing',
        CORTEX_BACKEND_MY_NOTES_URL: 'http://10.0.0.1:4000',
        CORTEX_BACKEND_MY_NOTES_PATH: '/contract',
        CORTEX_BACKEND_MY_NOTES_TIMEOUT_MS: '5000',
        CORTEX_BACKEND_BILLING_URL: 'https://billing.internal',
        CORTEX_TECHNICAL_TOKEN: 'shared',
        CORTEX_ALLOWED_ORIGINS: 'https://claude.ai,*.example.com',
        CORTEX_RATE_LIMIT_PER_MINUTE: '120',
        CORTEX_SERVER_NAME: 'Acme',
        CORTEX_SERVER_CARD_NAME: 'com.example/cortex',
        CORTEX_WEBSITE_URL: 'https://example.com',
        CORTEX_REQUIRED_POOL: 'staff',
        CORTEX_ALLOW_INSECURE_BACKENDS: '1',
        CORTEX_TICKET_BACKENDS: 'billing',
        CORTEX_TICKET_WEBHOOK_URL: 'https://hooks.example.com/x',
        CORTEX_AUDIT_RETENTION_DAYS: '30',
        CORTEX_TOOL_INTEGRITY_MODE: 'block',
        CORTEX_TOOL_BASELINE_FILE: '/etc/cortex/baseline.jsonl',
        CORTEX_BASELINE_PUBLIC_KEY: '11'.repeat(32),
      },
    });
    expect(issues.filter((line) => !line.includes('plain http'))).toEqual([]);
    expect(config?.gateway).toMatchObject({
      url: 'https://mcp.example.com/mcp',
      origins: ['https://claude.ai', 'https://*.example.com'],
      serverName: 'Acme',
      serverCardName: 'com.example/cortex',
      websiteUrl: 'https://example.com',
    });
    expect(config?.auth).toMatchObject({
      baselineScopes: ['mcp:a', 'mcp:b'],
      requiredPool: 'staff',
      issuers: [{ audience: ['urn:cortex'], jwksUri: 'https://auth.example.com/keys' }],
    });
    expect([...(config?.backends.values() ?? [])]).toMatchObject([
      { id: 'my-notes', path: '/contract', timeoutMs: 5_000, allowHttp: true, tickets: false },
      { id: 'billing', path: '/api/cortex/backend', timeoutMs: 60_000, tickets: true },
    ]);
    expect([...(config?.backends.values() ?? [])].map((backend) => backend.technicalToken?.reveal())).toEqual(
      ['shared', 'shared'],
    );
    expect(config?.limits.callsPerMinute).toBe(120);
    expect(config?.audit.retentionDays).toBe(30);
    expect(config?.tickets.webhookUrl).toBe('https://hooks.example.com/x');
    const publicKey = Buffer.from('11'.repeat(32), 'hex').toString('base64url');
    const baseline = '/etc/cortex/baseline.jsonl';
    expect(config?.integrity).toEqual({ mode: 'block', baseline, publicKey, scan: true });
  });

  test('takes a public key as base64, hex or PEM, and nothing that is none', async () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    const whole = publicKey.export({ format: 'der', type: 'spki' });
    const bytes = whole.subarray(12);
    const read = (value: string) =>
      attempt({ environment: { ...aloneSuffices, CORTEX_BASELINE_PUBLIC_KEY: value } });
    const spellings = [
      bytes.toString('base64'),
      bytes.toString('base64url'),
      bytes.toString('hex'),
      whole.toString('base64'),
      String(publicKey.export({ format: 'pem', type: 'spki' })),
    ];
    for (const spelling of spellings)
      expect((await read(spelling)).config?.integrity.publicKey).toBe(bytes.toString('base64url'));
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).publicKey;
    for (const wrong of [
      'x',
      bytes.toString('hex').slice(2),
      String(rsa.export({ format: 'pem', type: 'spki' })),
    ])
      expect((await read(wrong)).issues.join()).toContain('is not an Ed25519 public key');
  });

  test('names the variable of a backend that has no URL', async () => {
    const { issues } = await attempt({ environment: { ...aloneSuffices, CORTEX_BACKENDS: 'demo,crm' } });
    expect(issues).toContain(
      'error env CORTEX_BACKENDS: backends.crm.url is missing. Write it in the config file, or set CORTEX_BACKEND_CRM_URL.',
    );
  });

  test('names the variable of a bad value', async () => {
    const environment = {
      ...aloneSuffices,
      CORTEX_AUDIT_RETENTION_DAYS: 'long',
      CORTEX_TECHNICAL_TOKEN: 'a\nb',
    };
    const { issues } = await attempt({ environment });
    expect(issues.filter((line) => line.startsWith('error'))).toEqual([
      'error env CORTEX_TECHNICAL_TOKEN: backends.demo.technical_token: the secret must be printable ASCII on one line, without spaces at the ends.',
      'error env CORTEX_AUDIT_RETENTION_DAYS: audit.retention: "long" is not a duration: write a number and a unit, such as 500ms, 10s, 5m, 12h or 365d.',
    ]);
  });

  test('without an issuer is refused, with what to set', async () => {
    const { issues } = await attempt({});
    expect(issues).toContain(
      'error auth.issuers names no authorization server: no token could be accepted. Set OAUTH_ISSUER, or write auth.issuers in cortex.yaml.',
    );
  });
});

describe('a CORTEX__ variable', () => {
  test('comes before the file, and reaches every kind of place', async () => {
    const config = await configOf(
      'gateway: { listen: 127.0.0.1:1 }\nbackends: { my-notes: { url: https://a.example, timeout: 1s } }\n',
      {
        CORTEX__GATEWAY__LISTEN: '0.0.0.0:80',
        CORTEX__GATEWAY__ORIGINS: 'https://a.example,https://b.example',
        CORTEX__BACKENDS__MY_NOTES__URL: 'https://b.example',
        CORTEX__BACKENDS__CRM__URL: 'https://crm.example',
        CORTEX__PLANS__FREE: 'mcp:a mcp:b',
        CORTEX__AUTH__ISSUERS__0__AUDIENCE: 'urn:x',
        CORTEX__AUTH__CHALLENGE_SCOPES: 'mcp:a',
        CORTEX__LIMITS__POLL_INTERVAL: '5s',
        CORTEX__STORE: 'sqlite:/data/x.db',
      },
    );
    expect(config.gateway.listen).toEqual({ host: '0.0.0.0', port: 80 });
    expect(config.gateway.origins).toEqual(['https://a.example', 'https://b.example']);
    expect([...config.backends.values()]).toMatchObject([
      { id: 'my-notes', url: 'https://b.example', timeoutMs: 1_000 },
      { id: 'crm', url: 'https://crm.example' },
    ]);
    expect(config.plans.get('free')).toEqual(['mcp:a', 'mcp:b']);
    expect(config.auth.issuers[0]?.audience).toEqual(['urn:x']);
    expect(config.auth.challengeScopes).toEqual(['mcp:a']);
    expect(config.limits.pollIntervalMs).toBe(5_000);
    expect(config.store.path).toBe('/data/x.db');
  });

  test('that is empty counts as unset', async () => {
    const config = await configOf('', { CORTEX__GATEWAY__LISTEN: '', CORTEX_SERVER_NAME: '' });
    expect(config.gateway.listen.port).toBe(3213);
    expect(config.gateway.serverName).toBeUndefined();
  });

  test('can set each option of the table', async () => {
    const names = allOptions.map((option) =>
      `CORTEX__${option.path
        .split('.')
        .map((part) => (part === '<n>' ? '0' : part.startsWith('<') ? 'X' : part))
        .join('__')}`.toUpperCase(),
    );
    const environment = Object.fromEntries(names.map((name) => [name, '?']));
    const { issues } = await attempt({ yaml: soundYaml, environment });
    expect(issues.filter((line) => line.includes('not read by anything'))).toEqual([]);
    expect(names.length).toBeGreaterThan(60);
  });
});

describe('a name of an existing deployment', () => {
  test('fills in what the file leaves open', async () => {
    const config = await configOf(
      'backends: { a: { url: https://a.example, technical_token: own }, b: { url: https://b.example } }',
      {
        CORTEX_CANONICAL_URI: 'https://mcp.example.com/mcp',
        CORTEX_TECHNICAL_TOKEN: 'shared',
      },
    );
    expect(config.gateway.url).toBe('https://mcp.example.com/mcp');
    expect([...config.backends.values()].map((backend) => backend.technicalToken?.reveal())).toEqual([
      'own',
      'shared',
    ]);
  });

  test('changes nothing that the file says, and a warning says so', async () => {
    const { config, issues, folder } = await attempt({
      yaml: `${soundYaml}gateway: { url: https://mcp.example.com/mcp }\nbackends: { notes: { url: https://n.example } }\n`,
      environment: {
        CORTEX_CANONICAL_URI: 'https://other.example/mcp',
        OAUTH_ISSUER: 'https://evil.example',
        OAUTH_JWKS_URL: 'https://evil.example/keys',
        CORTEX_BACKENDS: 'evil',
        CORTEX_BACKEND_EVIL_URL: 'https://evil.example',
        CORTEX_BACKEND_NOTES_URL: 'https://evil.example',
      },
    });
    expect(JSON.stringify([config, [...(config?.backends.values() ?? [])]])).not.toContain('evil');
    expect(config?.gateway.url).toBe('https://mcp.example.com/mcp');
    const ignored = issues
      .filter((line) => line.includes('has no effect'))
      .map((line) => line.replace(folder, ''));
    expect(ignored).toEqual([
      'warning env CORTEX_BACKENDS: has no effect: /cortex.yaml:5 comes first.',
      'warning env CORTEX_CANONICAL_URI: has no effect: /cortex.yaml:4 comes first.',
      'warning env OAUTH_ISSUER: has no effect: /cortex.yaml:2 comes first.',
      'warning env OAUTH_JWKS_URL: has no effect: /cortex.yaml:2 comes first.',
      'warning env CORTEX_BACKEND_NOTES_URL: has no effect: /cortex.yaml:5 comes first.',
      'warning env CORTEX_BACKEND_EVIL_URL: has no effect: the config file comes first.',
    ]);
  });

  test('whose capability is to come is warned of and stops nothing', async () => {
    const names = laterNames.map(({ name }) => name);
    const { config, issues } = await attempt({
      environment: {
        ...aloneSuffices,
        OAUTH_REQUIRED_SCOPES: 'mcp',
        ...Object.fromEntries(names.map((name) => [name, 'x'])),
      },
    });
    expect(config).toBeDefined();
    const warned = issues.filter((line) =>
      /has no effect: not available in this version \(.+\)\.$/.test(line),
    );
    expect(warned.length).toBe(names.length);
    expect(names).toContain('CORTEX_DATABASE_URL');
  });

  test('of a ticket backend that is none is warned of', async () => {
    const { issues } = await attempt({ environment: { ...aloneSuffices, CORTEX_TICKET_BACKENDS: 'dmo' } });
    expect(issues).toContain('warning env CORTEX_TICKET_BACKENDS: dmo is not a backend. Did you mean demo?');
  });
});

describe('a variable that nothing reads', () => {
  const unknown: readonly (readonly [name: string, hint: string])[] = [
    ['CORTEX_TECHNICLA_TOKEN', ' Did you mean CORTEX_TECHNICAL_TOKEN?'],
    ['CORTEX__GATEWAY__LISTN', ' Did you mean CORTEX__GATEWAY__LISTEN?'],
    ['CORTEX__BACKENDS__DEMO', ' Did you mean CORTEX_BACKENDS?'],
    ['OAUTH_ISUER', ' Did you mean OAUTH_ISSUER?'],
    ['CORTEX_VAULT_KEYS', ' Did you mean CORTEX_VAULT_KEY?'],
    ['OAUTH_SOMETHING_ELSE_ENTIRELY', ''],
  ];
  test.each(unknown)('%s is warned of, with the nearest name', async (name, hint) => {
    const { config, issues } = await attempt({ environment: { ...aloneSuffices, [name]: 'x' } });
    expect(config).toBeDefined();
    expect(issues).toContain(`warning env ${name}: is not read by anything.${hint}`);
  });

  test('of a backend that is not listed is warned of', async () => {
    const { issues } = await attempt({
      environment: { ...aloneSuffices, CORTEX_BACKEND_CRM_URL: 'https://crm.example' },
    });
    expect(issues).toContain(
      'warning env CORTEX_BACKEND_CRM_URL: has no effect: CORTEX_BACKENDS names no such backend.',
    );
  });

  test('of another program is none of ours', async () => {
    const { issues } = await attempt({
      environment: { ...aloneSuffices, MY_CORTEX_X: 'x', CORTEXX: 'x', CORTEX_DEBUG: '1' },
    });
    expect(issues.filter((line) => line.includes(' env '))).toEqual([]);
  });
});

describe('flags and folders', () => {
  test('a flag comes before everything', async () => {
    const { config, report } = await attempt({
      yaml: `${soundYaml}gateway: { listen: 127.0.0.1:1 }\nstate_dir: /var/one\n`,
      environment: { CORTEX__GATEWAY__LISTEN: '127.0.0.1:2', CORTEX_STATE_DIR: '/var/two' },
      flags: { listen: '127.0.0.1:3', state: '/var/three' },
    });
    expect(config?.gateway.listen.port).toBe(3);
    expect(config?.stateDir).toBe('/var/three');
    expect(report.effective.find((setting) => setting.path === 'state_dir')?.origin).toEqual({
      kind: 'flag',
      name: 'state',
    });
  });

  test('CORTEX_STATE_DIR comes before the file, and CORTEX__STATE_DIR before that', async () => {
    const yaml = `${soundYaml}state_dir: /var/one\n`;
    const two = await attempt({ yaml, environment: { CORTEX_STATE_DIR: '/var/two' } });
    expect(two.config?.stateDir).toBe('/var/two');
    const three = await attempt({
      yaml,
      environment: { CORTEX_STATE_DIR: '/var/two', CORTEX__STATE_DIR: '/var/three' },
    });
    expect(three.config?.stateDir).toBe('/var/three');
  });

  test('the state folder is systemd’s, else the user’s', async () => {
    const systemd = await configOf('', { STATE_DIRECTORY: '/var/lib/cortex:/var/lib/more' });
    expect(systemd.stateDir).toBe('/var/lib/cortex');
    const xdg = await configOf('', { XDG_STATE_HOME: '/home/ada/state' });
    expect(xdg.stateDir).toBe('/home/ada/state/cortex');
    const relative = await attempt({ yaml: soundYaml, environment: { XDG_STATE_HOME: 'state' } });
    expect(relative.config?.stateDir).toBe(`${relative.folder}/.local/state/cortex`);
  });

  test('relative paths count from the config file, those of the environment from the current folder', async () => {
    const { config, folder } = await attempt({
      yaml: `${soundYaml}audit: { dir: log }\n`,
      environment: { CORTEX__KEYS__SEAL__FILE: 'seal.key' },
    });
    expect(config?.audit.dir).toBe(`${folder}/log`);
    expect(config?.keys.seal.file).toBe(`${folder}/seal.key`);
  });
});
