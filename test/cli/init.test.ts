import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configText } from '#cli/init/config-text.ts';
import { guessPreset, issuerFrom } from '#cli/init/guess-preset.ts';
import { offeredScopes, proposePlans } from '#cli/init/propose-plans.ts';
import { isJsonObject, parseJson } from '#kernel/json.ts';
import { type ListeningDemo, listen } from '../demo/listening-demo.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { openTmux, tmuxPath } from '../support/tmux.ts';
import { run } from './run.ts';

const url = 'http://127.0.0.1:3213/mcp';
let listening: ListeningDemo;
let folder: TempFolder;
let file = '';
beforeAll(async () => {
  listening = await listen({ resources: [url] });
});
afterAll(() => listening.close());
beforeEach(async () => {
  folder = await createTempFolder();
  file = join(folder.path, 'cortex.yaml');
  return () => folder[Symbol.asyncDispose]();
});

const init = (more: string, environment: Readonly<Record<string, string>> = {}) =>
  run(`init ${more}`, { cwd: folder.path, environment: { HOME: folder.path, ...environment } });
const given = () => `--url ${url} --issuer ${listening.issuer}`;
const check = () => run(`check --config ${file}`, { cwd: folder.path, environment: { HOME: folder.path } });

describe('cortex init', () => {
  test('writes a configuration that check passes, secrets read, and shows no secret', async () => {
    const result = await init(`${given()} --backend notes=http://127.0.0.1:4820`);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toBe('wrote cortex.yaml\n');
    const secret = join(folder.path, 'secrets', 'notes.token');
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder.path, 'secrets')).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(folder.path, 'secrets', '.gitignore'), 'utf8')).toBe('*\n');
    const text = readFileSync(secret, 'utf8').trim();
    expect(text).toHaveLength(43);
    const checked = await check();
    expect(checked.stderr).not.toContain('warning');
    expect(checked.exitCode).toBe(0);
    for (const said of [result.stdout, result.stderr, readFileSync(file, 'utf8'), checked.stdout])
      expect(said).not.toContain(text);
  });

  test('tells what to type next, in order', async () => {
    const { stderr } = await init(`${given()} --backend notes=http://127.0.0.1:4820`);
    const steps = stderr.split('\n').filter((line) => /^ {2}\S/.test(line));
    expect(steps.map((line) => line.trim())).toEqual([
      'export CORTEX_TECHNICAL_TOKEN=$(cat secrets/notes.token)',
      'cortex check --config cortex.yaml',
      'cortex doctor --config cortex.yaml',
      'cortex serve',
      'cortex connect',
    ]);
  });

  test('attack: what the issuer has that can be no scope is proposed to nobody, and drives no terminal', () => {
    const scopes_supported = ['mcp:notes:read', '\x1b]0;owned\x07', 'a b', 'a\u009b31m', 'a"b', ''];
    expect(offeredScopes({ scopes_supported })).toEqual(['mcp:notes:read']);
  });

  test.each([
    ['url', `${url}\n  server_name: owned`],
    ['issuer', `https://auth.example.com\nadmin: {listen: 0.0.0.0:3214}`],
    ['listen', '127.0.0.1:3213\n  server_name: owned'],
  ])('attack: --%s brings no settings of its own', async (name, value) => {
    const others = { url, issuer: listening.issuer, [name]: value };
    const words = Object.entries(others).flatMap(([flag, text]) => [`--${flag}`, text]);
    const result = await run(['init', ...words, '--no-check', '--plan', 'a=b'], {
      cwd: folder.path,
      environment: { HOME: folder.path },
    });
    expect(result.exitCode).toBe(2);
    expect(existsSync(file)).toBe(false);
  });

  test('an address of IPv6 to listen at is written so that it is read back', async () => {
    const result = await init(`${given()} --listen [::1]:3213 --plan a=b`);
    expect(result.exitCode, result.stderr).toBe(0);
    expect((await check()).stdout).toContain('[::1]:3213');
  });

  test('proposes plans of the scopes that the issuer has, the larger first', async () => {
    const result = await init(`${given()} --json`);
    const parsed = parseJson(result.stdout);
    const plans = parsed.ok && isJsonObject(parsed.value) ? parsed.value.plans : undefined;
    expect(Object.keys(isJsonObject(plans) ? plans : {})).toEqual(['pro', 'free']);
    expect(JSON.stringify(plans)).toContain('mcp:notes:read');
    expect(readFileSync(file, 'utf8').indexOf('pro:')).toBeLessThan(
      readFileSync(file, 'utf8').indexOf('free:'),
    );
  });

  test('proposes the scopes that the applications list, where it has their secret', async () => {
    await using backend = createCapturingBackend({
      technicalToken: 's3cret-of-the-application',
      tools: [
        { name: 'see', scope: 'crm:view' },
        { name: 'do', scope: 'crm:act' },
      ],
    });
    const result = await init(`${given()} --backend crm=${backend.url} --technical-token-env CRM_TOKEN`, {
      CRM_TOKEN: 's3cret-of-the-application',
    });
    expect(result.stderr).toContain('Scopes: crm:act crm:view (your applications list them).');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('free: [crm:view]');
    expect(text).toContain(`technical_token: "\${CRM_TOKEN}"`);
    expect(text).not.toContain('s3cret');
    expect(existsSync(join(folder.path, 'secrets'))).toBe(false);
  });

  test('takes the issuer as it spells itself: a slash more, or the address of its metadata', async () => {
    const typed = `${listening.issuer}/.well-known/openid-configuration`;
    expect((await init(`--url ${url} --issuer ${typed}`)).exitCode).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain(`- url: ${listening.issuer}\n`);
    const slashed = await init(`--force --url ${url} --issuer ${listening.issuer}/`);
    expect(slashed.stderr).toContain('spells itself');
    expect(readFileSync(file, 'utf8')).toContain(`- url: ${listening.issuer}\n`);
  });

  test('adds /mcp to a URL without a path, since some clients connect to no other', async () => {
    await init(`--url https://mcp.example.com --issuer ${listening.issuer}`);
    expect(readFileSync(file, 'utf8')).toContain('url: https://mcp.example.com/mcp ');
  });
});

describe('cortex init never overwrites', () => {
  test('a file that is there, whatever the options say, without --force', async () => {
    writeFileSync(file, 'mine\n');
    const result = await init(given());
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('--force');
    expect(readFileSync(file, 'utf8')).toBe('mine\n');
    expect(readdirSync(folder.path)).toEqual(['cortex.yaml']);
  });

  test('and with it keeps a copy, each time another, and the mode of the file', async () => {
    writeFileSync(file, 'first\n');
    chmodSync(file, 0o640);
    expect((await init(`${given()} --force`)).stderr).toContain('kept in cortex.yaml.bak');
    expect((await init(`${given()} --force`)).stderr).toContain('kept in cortex.yaml.bak1');
    expect(readFileSync(`${file}.bak`, 'utf8')).toBe('first\n');
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  test('a link to the file: what it leads to is replaced, and the link stays', async () => {
    writeFileSync(join(folder.path, 'real.yaml'), 'real\n');
    symlinkSync('real.yaml', file);
    expect((await init(`${given()} --force`)).exitCode).toBe(0);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder.path, 'real.yaml'), 'utf8')).toContain('version: 1');
    expect(readFileSync(join(folder.path, 'real.yaml.bak'), 'utf8')).toBe('real\n');
  });

  test('a secret: the one that an application may have already stays', async () => {
    await init(`${given()} --backend notes=http://127.0.0.1:4820`);
    const secret = join(folder.path, 'secrets', 'notes.token');
    const before = readFileSync(secret, 'utf8');
    const again = await init(`${given()} --backend notes=http://127.0.0.1:4820 --force`);
    expect(again.stderr).toContain('kept secrets/notes.token');
    expect(readFileSync(secret, 'utf8')).toBe(before);
  });
});

describe('cortex init refuses', () => {
  test('an issuer that does not answer, and one that would stop a client, and writes nothing', async () => {
    const silent = await init(`--url ${url} --issuer http://127.0.0.1:1 --plan all=a`);
    expect(silent.exitCode).toBe(3);
    expect(silent.stderr).toContain('--no-check');
    const other = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: () => Response.json({ issuer: 'https://evil.example', scopes_supported: ['a:read'] }),
    });
    const lying = await init(`--url ${url} --issuer ${other.url.origin} --plan all=a`);
    await other.stop(true);
    expect(lying.exitCode).toBe(1);
    expect(lying.stderr).toContain('calls itself "https://evil.example"');
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test('what check would refuse, with its words, and takes the secrets back', async () => {
    const result = await init(`${given()} --no-check --backend crm=http://crm.example.com --plan all=a`);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('nothing was written');
    expect(result.stderr).toContain('cortex.yaml:');
    expect(existsSync(file)).toBe(false);
    expect(existsSync(join(folder.path, 'secrets', 'crm.token'))).toBe(false);
  });

  test.each([
    ['', '--url is needed'],
    [`--url ${url}`, '--issuer is needed'],
    ['--url ftp://x --issuer http://127.0.0.1:1', 'a URL, such as'],
    ['--url http://mcp.example.com/mcp --issuer http://127.0.0.1:1', 'https, since tokens go there'],
    [`--url ${url} --issuer http://auth.example.com`, 'https'],
    [`--url ${url} --issuer http://127.0.0.1:1 --no-check --backend Notes=http://127.0.0.1:1`, 'a to z'],
    [`--url ${url} --issuer http://127.0.0.1:1 --no-check --backend notes`, 'an id, =, and a URL'],
    [`--url ${url} --issuer http://127.0.0.1:1 --no-check --plan pro`, 'a name, =, and scopes'],
    [`--url ${url} --issuer http://127.0.0.1:1 --no-check`, 'no scopes to make plans of'],
    [`--url ${url} --issuer http://127.0.0.1:1 --no-check --technical-token-env NONE`, 'is not set'],
    [
      `--url ${url} --issuer http://127.0.0.1:1 --no-check --backend a=http://127.0.0.1:1 --server a=https://a.example`,
      'names of their own',
    ],
  ])('%j, and says what it should be', async (line, words) => {
    const result = await init(line);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain(words);
    expect(result.stderr).toContain('next: ');
    expect(existsSync(file)).toBe(false);
  });
});

test.each([
  ['https://login.microsoftonline.com/t/v2.0', {}, 'entra'],
  ['https://acme.eu.auth0.com/', {}, 'auth0'],
  ['https://acme.okta.com/oauth2/default', {}, 'okta'],
  ['https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_x', {}, 'cognito'],
  ['https://acme.zitadel.cloud', {}, 'zitadel'],
  ['https://sso.example.com/realms/staff', {}, 'keycloak'],
  ['https://auth.example.com/application/o/cortex/', {}, 'authentik'],
  ['https://id.example.com', { token_endpoint: 'https://id.example.com/oauth/v2/token' }, 'zitadel'],
  ['https://id.example.com/', { authorization_endpoint: 'https://id.example.com/oauth2/auth' }, 'hydra'],
  ['https://login.example.com/', { token_endpoint: 'https://login.example.com/oauth/token' }, 'auth0'],
  ['https://auth0.com.evil.example', {}, 'generic'],
  ['https://auth.example.com', {}, 'generic'],
] as const)('the product of %s is guessed', (issuer, metadata, preset) => {
  expect(guessPreset(issuer, metadata)).toBe(preset);
});

test('the address of the metadata stands for its issuer', () => {
  expect(issuerFrom(' https://a.example/realms/x/.well-known/openid-configuration ')).toBe(
    'https://a.example/realms/x',
  );
  expect(issuerFrom('https://a.example/')).toBe('https://a.example/');
});

test('scopes of accounts open no tool, and what only reads is a plan of its own', () => {
  const scopes = offeredScopes({ scopes_supported: ['openid', 'offline_access', 'crm:read', 'crm:write'] });
  expect(scopes).toEqual(['crm:read', 'crm:write']);
  expect([...proposePlans(scopes)]).toEqual([
    ['pro', ['crm:read', 'crm:write']],
    ['free', ['crm:read']],
  ]);
  expect([...proposePlans(['crm'])]).toEqual([['everyone', ['crm']]]);
  expect([...proposePlans([])]).toEqual([]);
});

test('what would read as something else in YAML is quoted', () => {
  const text = configText(
    {
      url: 'https://mcp.example.com/mcp',
      listen: '127.0.0.1:3213',
      name: 'Ada’s: "tools" # all',
      issuer: { url: 'https://a.example', preset: 'entra', audience: ['123', 'true'], clients: [] },
      plans: new Map([['yes', ['a b', '*']]]),
      backends: new Map(),
      servers: new Map(),
      technicalTokenVariable: undefined,
      allowsHttp: false,
    },
    '2026-11-27',
  );
  expect(text).toContain('server_name: "Ada’s: \\"tools\\" # all"');
  expect(text).toContain('audience: ["123", "true"]');
  expect(text).toContain('"yes": ["a b", "*"]');
});

describe.skipIf(tmuxPath === undefined)('the questions of cortex init, on a terminal', () => {
  const open = () => openTmux({ args: ['init'], cwd: folder.path, columns: 90, rows: 50 });

  test('lead to the same file', async () => {
    await using terminal = await open();
    await terminal.until(/At which URL/);
    await terminal.press('nonsense', 'Enter');
    await terminal.until(/a URL, such as/);
    await terminal.press('C-u', url, 'Enter');
    await terminal.until(/Who signs people in/);
    await terminal.press(listening.issuer, 'Enter');
    await terminal.until(/Which product/);
    await terminal.press('Enter');
    await terminal.until(/a short name/);
    await terminal.press('notes', 'Enter');
    await terminal.until(/Where does notes listen/);
    await terminal.press('http://127.0.0.1:4820', 'Enter');
    await terminal.until(/Another one\?/);
    await terminal.press('Enter');
    await terminal.until(/Scopes that open tools/);
    await terminal.press('Enter');
    await terminal.until(/Take these plans\?/);
    await terminal.press('Enter');
    await terminal.until(/left 0/);
    expect(readFileSync(file, 'utf8')).toContain('technical_token: file:secrets/notes.token');
    expect((await check()).exitCode).toBe(0);
  });

  test('are stopped by Ctrl-C, and nothing was written', async () => {
    await using terminal = await open();
    await terminal.until(/At which URL/);
    await terminal.press('C-c');
    const screen = await terminal.until(/left 1/);
    expect(screen).toContain('nothing was written');
    expect(existsSync(file)).toBe(false);
  });

  test('are asked again about an issuer that publishes nothing', async () => {
    await using terminal = await open();
    await terminal.until(/At which URL/);
    await terminal.press(url, 'Enter');
    await terminal.until(/Who signs people in/);
    await terminal.press('http://127.0.0.1:1', 'Enter');
    await terminal.until(/Take it all the same\?/);
    await terminal.press('Enter');
    await terminal.until((screen) => screen.split('Who signs people in').length === 3);
  });
});
