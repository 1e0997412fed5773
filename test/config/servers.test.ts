import { describe, expect, test } from 'vitest';
import type { ServerConfig } from '#config/server-config.ts';
import { attempt, configOf, errorsOf, soundYaml } from './load.ts';

async function serversOf(
  yaml: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly ServerConfig[]> {
  const { servers } = await configOf(`servers:\n${yaml}\n`, environment);
  return [...servers.values()];
}

describe('a server', () => {
  test('with a url is linked, private and rewritten unless it says otherwise', async () => {
    const [linear] = await serversOf('  linear: { url: https://l.example/mcp, scopes: { default: a } }');
    expect(linear).toMatchObject({
      id: 'linear',
      endpoint: { kind: 'url', url: 'https://l.example/mcp', allowHttp: false },
      identity: 'linked',
      scopes: { default: ['a'], tools: new Map() },
      prefix: 'linear',
      timeoutMs: 60_000,
      maxConnections: 256,
      list: 'private',
      uris: 'rewrite',
      linking: {
        client: undefined,
        issuer: undefined,
        oauthScopes: undefined,
        sendsResource: true,
        allowWithoutS256: false,
        allowPrivate: [],
      },
    });
  });

  test('says how accounts are linked', async () => {
    const [linear] = await serversOf(
      `  linear:
    url: https://l.example/mcp
    scopes: { default: [a, b], tools: { "create_*": c, "*": [d, e] } }
    client_id: ours
    client_secret: "\${KEY}"
    issuer: https://as.example
    oauth_scopes: [read, write]
    resource: false
    allow_without_s256: true
    allow_private: [10.0.0.0/8, as.internal, "fd00::1"]
    list: shared
    catalog_subject: robot`,
      { KEY: 's3cret' },
    );
    expect(linear?.scopes.tools).toEqual(
      new Map([
        ['create_*', ['c']],
        ['*', ['d', 'e']],
      ]),
    );
    expect(linear?.linking).toMatchObject({
      client: { id: 'ours' },
      issuer: 'https://as.example',
      oauthScopes: ['read', 'write'],
      sendsResource: false,
      allowWithoutS256: true,
      allowPrivate: ['10.0.0.0/8', 'as.internal', 'fd00::1/128'],
      catalogSubject: 'robot',
    });
    expect(linear?.linking.client?.secret?.reveal()).toBe('s3cret');
  });

  test('that is a command has arguments as they are written, and secrets in its environment', async () => {
    const { config, folder } = await attempt({
      yaml: `${soundYaml}servers:
  files:
    command: [bunx, some-server, "--root=/srv/my files", -y]
    env: { API_KEY: "\${KEY}", plain: info }
    cwd: work
    process: principal
    identity: none
    scopes: { default: a }
`,
      environment: { KEY: 's3cret' },
    });
    const files = [...(config?.servers.values() ?? [])][0];
    expect(files).toMatchObject({ identity: 'none', list: 'shared' });
    if (files?.endpoint.kind !== 'command') throw new Error('no command');
    expect(files.endpoint.command).toEqual(['bunx', 'some-server', '--root=/srv/my files', '-y']);
    expect(files.endpoint.cwd).toBe(`${folder}/work`);
    expect(files.endpoint.process).toBe('principal');
    expect([...files.endpoint.env].map(([name, value]) => [name, value.reveal()])).toEqual([
      ['API_KEY', 's3cret'],
      ['plain', 'info'],
    ]);
  });

  test('without a default scope is a problem, wherever its line is', async () => {
    expect(await errorsOf('servers:\n  a: { url: https://a.example }\n')).toEqual([
      'cortex.yaml:5: servers.a.scopes.default is missing. Write it in the config file, or set CORTEX_MCP_A_SCOPE.',
    ]);
    expect(
      await errorsOf('servers:\n  a:\n    url: https://a.example\n    scopes: { default: [] }\n'),
    ).toEqual(['cortex.yaml:7: servers.a.scopes.default: must not be empty.']);
  });

  test('never shows what its secrets are', async () => {
    const { report } = await attempt({
      yaml: `${soundYaml}servers:
  a: { url: https://a.example, identity: static, token: "\${KEY}", scopes: { default: s } }
  b: { command: [x], env: { A: s3cret }, identity: none, scopes: { default: s } }
`,
      environment: { KEY: 's3cret', CORTEX_VAULT_KEY: 's3cret' },
    });
    expect(JSON.stringify(report)).not.toContain('s3cret');
    expect(report.effective.find(({ path }) => path === 'servers.b.env.A')?.value).toBe('[secret]');
  });
});

describe('the environment', () => {
  test('names servers, and what existing deployments say of them', async () => {
    const { config, issues } = await attempt({
      environment: {
        OAUTH_ISSUER: 'https://auth.example.com',
        OAUTH_REQUIRED_SCOPES: 'mcp',
        CORTEX_MCP_SERVERS: 'linear, my-files',
        CORTEX_MCP_LINEAR_URL: 'https://l.example/mcp',
        CORTEX_MCP_LINEAR_SCOPE: 'mcp:linear',
        CORTEX_MCP_LINEAR_CLIENT_ID: 'ours',
        CORTEX_MCP_LINEAR_CLIENT_SECRET: 'x',
        CORTEX_MCP_LINEAR_OAUTH_SCOPE: 'read write',
        CORTEX_MCP_MY_FILES_URL: 'https://f.example/mcp',
        CORTEX_MCP_MY_FILES_SCOPE: 'mcp:files',
        CORTEX_MCP_MY_FILES_CATALOG_SUB: 'robot',
        CORTEX_VAULT_KEY: 'one,two',
      },
    });
    expect(issues).toEqual([]);
    expect([...(config?.servers.values() ?? [])]).toMatchObject([
      {
        id: 'linear',
        endpoint: { url: 'https://l.example/mcp' },
        scopes: { default: ['mcp:linear'] },
        linking: { client: { id: 'ours' }, oauthScopes: ['read', 'write'] },
      },
      { id: 'my-files', list: 'shared', linking: { catalogSubject: 'robot' } },
    ]);
    expect(config?.keys.vault.text?.reveal()).toBe('one,two');
  });

  test('of servers that the file does not name has no effect', async () => {
    const { issues, folder } = await attempt({
      yaml: `${soundYaml}servers: { a: { url: https://a.example, scopes: { default: s } } }\n`,
      environment: { CORTEX_MCP_SERVERS: 'evil', CORTEX_MCP_EVIL_URL: 'https://evil.example' },
    });
    expect(issues.map((line) => line.replace(folder, ''))).toEqual([
      'warning env CORTEX_MCP_SERVERS: has no effect: /cortex.yaml:4 comes first.',
      'warning env CORTEX_MCP_EVIL_URL: has no effect: the config file comes first.',
    ]);
    const alone = await attempt({ yaml: soundYaml, environment: { CORTEX_MCP_X_URL: 'https://x.example' } });
    expect(alone.issues).toContain(
      'warning env CORTEX_MCP_X_URL: has no effect: CORTEX_MCP_SERVERS names no such server.',
    );
  });

  test('keeps the capitals of a command’s variables', async () => {
    const [server] = await serversOf('  a: { command: [x], identity: none, scopes: { default: s } }', {
      CORTEX__SERVERS__A__ENV__API_KEY: 's3cret',
      CORTEX__SERVERS__A__COMMAND: 'y --flag',
    });
    if (server?.endpoint.kind !== 'command') throw new Error('no command');
    expect(server.endpoint.command).toEqual(['y', '--flag']);
    expect([...server.endpoint.env.keys()]).toEqual(['API_KEY']);
  });
});

describe('commands', () => {
  const yaml = `${soundYaml}servers: { a: { command: [x], identity: none, scopes: { default: s } } }\n`;
  test('of a file that merely lies in the current folder may be run by serve alone', async () => {
    const mayRun = async (input: Parameters<typeof attempt>[0]) => {
      const { report } = await attempt(input);
      return 'mayRunCommands' in report && report.mayRunCommands;
    };
    expect(await mayRun({ yaml, isNamed: false })).toBe(false);
    expect(await mayRun({ yaml, isNamed: false, mayExpandSecrets: true })).toBe(true);
    expect(await mayRun({ yaml })).toBe(true);
  });
});

describe('keys of the vault', () => {
  test('never lie with the data', async () => {
    expect(
      await errorsOf('state_dir: /srv/x\nkeys: { dir: /srv/k, vault: { file: /srv/x/vault.key } }'),
    ).toEqual([
      'cortex.yaml:5: keys.vault.file: /srv/x/vault.key lies with the data in /srv/x. Who copies the data must not get the keys: set keys.vault.file.',
    ]);
  });
});
