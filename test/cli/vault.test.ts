import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '#cli/running-gateway.ts';
import type { Config } from '#config/config.ts';
import { loadConfig } from '#config/load-config.ts';
import { systemClock } from '#kernel/clock.ts';
import { isJsonObject, type JsonObject, parseJson } from '#kernel/json.ts';
import { silentLog } from '#kernel/log.ts';
import { principalKey } from '#kernel/principal.ts';
import { Secret } from '#kernel/secret.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Grant, GrantOwner } from '#vault/grant.ts';
import { openConfiguredVault } from '#wiring/configured-vault.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { grantOf } from '../vault/vault-kit.ts';
import { run } from './run.ts';

const issuer = 'http://127.0.0.1:1';
const otherIssuer = 'http://127.0.0.1:2';
let folder: TempFolder;
let provider: ReturnType<typeof startProvider>;
let configFile = '';
let config: Config;
let running: RunningGateway | undefined;

/** An authorization server as far as revoking needs one. */
function startProvider() {
  const revoked: (string | null)[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname, origin } = new URL(request.url);
      if (pathname === '/revoke') {
        revoked.push(new URLSearchParams(await request.text()).get('token'));
        return new Response(null);
      }
      if (pathname !== '/.well-known/oauth-authorization-server') return new Response(null, { status: 404 });
      return Response.json({
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        revocation_endpoint: `${origin}/revoke`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
      });
    },
  });
  return { revoked, origin: server.url.origin, stop: () => server.stop(true) };
}

beforeEach(async () => {
  folder = await createTempFolder();
  provider = startProvider();
  const scopes = { default: 's' };
  configFile = await writeConfig(folder.path, {
    gateway: { url: 'http://127.0.0.1:3213/mcp', listen: `127.0.0.1:${freePort()}` },
    auth: { issuers: [{ url: issuer }, { url: otherIssuer }], challenge_scopes: ['s'] },
    servers: {
      linear: { url: `${provider.origin}/mcp`, issuer: provider.origin, client_id: 'gateway', scopes },
      github: { url: 'http://127.0.0.1:9/mcp', issuer: 'http://127.0.0.1:9', client_id: 'gateway', scopes },
    },
  });
  const loaded = await loadConfig({
    cwd: folder.path,
    environment: { HOME: folder.path },
    file: configFile,
    flags: {},
    mayExpandSecrets: true,
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error.issues));
  config = loaded.value.config;
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await provider.stop();
  await folder.remove();
});

async function start(): Promise<void> {
  const terminal = {
    cwd: folder.path,
    environment: {},
    out: () => {},
    say: () => {},
    isInteractive: false,
    columns: 80,
  };
  running = await startGateway(config, terminal, { isDev: false, reload: async () => [] });
}

function userOf(subject: string, from = issuer): GrantOwner {
  return { issuer: from, subject, key: principalKey(from, subject) };
}

/** Puts grants into the vault, as linking does. */
async function link(...links: (readonly [GrantOwner, server: string, Partial<Grant>?])[]): Promise<void> {
  const store = openSqliteStore(config.store.path);
  const vault = await openConfiguredVault({ config, store, clock: systemClock, log: silentLog }, 'create');
  if (!vault.ok) throw new Error(vault.error);
  for (const [owner, server, changes] of links) {
    await vault.value.grants.put(owner, server, grantOf({ issuer: provider.origin, ...changes }));
  }
  await vault.value.close();
  await store.close();
}

const cortex = (line: string) => run(`vault ${line} --config ${configFile}`, { cwd: folder.path });
async function json(line: string): Promise<JsonObject> {
  const { stdout } = await cortex(`${line} --json`);
  const parsed = parseJson(stdout);
  if (!parsed.ok || !isJsonObject(parsed.value)) throw new Error(stdout);
  return parsed.value;
}
/** The audit's records of acts on the vault, but for those of looking. */
function acts(): readonly JsonObject[] {
  const files = readdirSync(config.audit.dir).filter((name) => name.endsWith('.jsonl'));
  return files
    .flatMap((name) => readFileSync(join(config.audit.dir, name), 'utf8').trim().split('\n'))
    .map((line): unknown => JSON.parse(line))
    .filter(isJsonObject)
    .filter(({ actor, action }) => actor === 'local' && action !== 'vault.list');
}

describe.each([
  ['through the running gateway', true],
  ['on the vault itself, where no gateway runs', false],
])('cortex vault %s', (_how, isRunning) => {
  beforeEach(async () => {
    if (isRunning) await start();
  });

  test('lists who has linked what, and shows no secret', async () => {
    await link([userOf('ada'), 'linear'], [userOf('bob'), 'github', { account: 'bob\u001b[2J', scopes: [] }]);
    const { exitCode, stdout, stderr } = await cortex('list');
    expect(exitCode).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^USER +ISSUER +SERVER +ACCOUNT +SINCE +LAST USED +STATE +SCOPES$/);
    expect(lines[1]).toMatch(
      /^ada +http:\/\/127.0.0.1:1 +linear +ada@linear.example +2025-06-15 +- +linked +read$/,
    );
    expect(lines[2]).toMatch(/^bob +.* github +bob\?\[2J /);
    expect(stderr).toBe('2 grants of 2 users\n');
    const document = await json('list --user ada');
    expect(document).toEqual({
      users: [
        {
          issuer,
          subject: 'ada',
          grants: [
            {
              server: 'linear',
              account: 'ada@linear.example',
              scopes: ['read'],
              issuer: provider.origin,
              linkedAt: '2025-06-15T15:06:40.000Z',
              expiresAt: '2025-10-09T08:53:20.000Z',
              isDead: false,
            },
          ],
        },
      ],
    });
    expect(JSON.stringify(document) + stdout).not.toMatch(/access-1|refresh-1/);
  });

  test('unlinks: revoked at the provider, deleted, recorded', async () => {
    await link([userOf('ada'), 'linear']);
    const { exitCode, stdout, stderr } = await cortex('unlink linear');
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: 'unlinked the only account from linear\n',
      stderr: 'the provider has revoked the tokens\n',
    });
    expect(provider.revoked).toContain('refresh-1');
    expect(await json('list')).toMatchObject({ users: [{ grants: [] }] });
    await running?.stop();
    running = undefined;
    expect(acts()).toEqual([
      expect.objectContaining({
        kind: 'link',
        action: 'unlink',
        actor: 'local',
        server: 'linear',
        revoked: true,
      }),
    ]);
    expect(JSON.stringify(acts())).not.toContain('ada');
  });

  test('unlinks nothing where several could be meant, or nobody', async () => {
    await link([userOf('ada'), 'linear'], [userOf('bob'), 'linear']);
    const several = await cortex('unlink linear');
    expect(several.exitCode).toBe(1);
    expect(several.stderr).toBe(
      'cortex: several users have linked linear: name one\n  next: name one: --user <subject>; see who: cortex vault list\n',
    );
    const nobody = await cortex('unlink github');
    expect(nobody.exitCode).toBe(1);
    expect(nobody.stderr).toContain('nobody has linked github');
    const another = await cortex('unlink linear --user eve --issuer http://127.0.0.1:1');
    expect(another.exitCode).toBe(1);
    expect(provider.revoked).toEqual([]);
  });

  test('says where the provider could not be asked to revoke', async () => {
    await link([userOf('bob'), 'github', { issuer: 'http://127.0.0.1:9' }]);
    const { exitCode, stderr } = await cortex('unlink github');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('the provider did not revoke the tokens');
  });

  test('tells users of two issuers apart', async () => {
    await link([userOf('ada'), 'linear'], [userOf('ada', otherIssuer), 'linear']);
    const unclear = await cortex('erase ada');
    expect(unclear.exitCode).toBe(1);
    expect(unclear.stderr).toContain('--issuer <url>');
    expect((await cortex(`unlink linear --user ada --issuer ${otherIssuer}`)).exitCode).toBe(0);
    expect(await json(`list --user ada --issuer ${issuer}`)).toMatchObject({ users: [{ grants: [{}] }] });
    expect(await json(`list --user ada --issuer ${otherIssuer}`)).toMatchObject({ users: [{ grants: [] }] });
  });

  test('erases a user: revoked, deleted, the audit’s name too, one record, and a word about backups', async () => {
    await link([userOf('ada'), 'linear'], [userOf('ada'), 'github'], [userOf('bob'), 'linear']);
    const { exitCode, stdout, stderr } = await cortex('erase ada');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(`erased ada of ${issuer}: 2 grants, the key, and the name in the audit\n`);
    expect(stderr).toContain('backups stay readable until the key ring has turned past them');
    expect(provider.revoked).toContain('refresh-1');
    const left = await json('list');
    expect(left).toMatchObject({ users: [{ subject: 'bob' }] });
    expect(JSON.stringify(left)).not.toContain('ada"');
    await running?.stop();
    running = undefined;
    expect(acts()).toEqual([
      expect.objectContaining({ kind: 'admin', action: 'vault.erase', actor: 'local', grants: 2 }),
    ]);
    const store = openSqliteStore(config.store.path);
    expect(await store.all('SELECT * FROM audit_pseudonyms')).toEqual([]);
    await store.close();
  });

  test('erases nobody who is not known, as a mistyped name', async () => {
    await link([userOf('ada'), 'linear']);
    const { exitCode, stderr } = await cortex('erase eda');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('nobody called eda is known here');
    expect(await json('list')).toMatchObject({ users: [{ subject: 'ada', grants: [{ server: 'linear' }] }] });
  });

  test('turns the keys, and forgets the older ones when told to', async () => {
    await link([userOf('ada'), 'linear']);
    const keyFile = join(folder.path, 'keys', 'vault.key');
    const before = readFileSync(keyFile, 'utf8');
    const { exitCode, stdout, stderr } = await cortex('rotate');
    expect({ exitCode, stderr: stderr.includes('backups from before stay readable') }).toEqual({
      exitCode: 0,
      stderr: true,
    });
    expect(stdout).toMatch(/^sealed \d+ keys? anew with [\w-]{8}, a new key\n$/);
    expect(readFileSync(keyFile, 'utf8').endsWith(before)).toBe(true);
    const status = await json('status');
    expect(status).toMatchObject({ place: 'generated', path: keyFile, users: 1, grants: 1, dead: 0 });
    expect(status.keys).toEqual([
      { id: expect.any(String), isInRing: true, seals: expect.any(Number) },
      { id: expect.any(String), isInRing: true, seals: 0 },
    ]);
    expect((await cortex('rotate --forget-old')).exitCode).toBe(0);
    expect(readFileSync(keyFile, 'utf8').trim().split('\n')).toHaveLength(1);
    expect(readFileSync(keyFile, 'utf8')).not.toContain(before.trim());
    expect(await json('list')).toMatchObject({ users: [{ subject: 'ada', grants: [{ server: 'linear' }] }] });
  });

  test('shows where the keys are and what needs which', async () => {
    await link([userOf('ada'), 'linear']);
    const { exitCode, stdout } = await cortex('status');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^keys +.*vault\.key \(generated\)\nusers +1\ngrants +1, of which 0 must be linked again\nkey +[\w-]{8} +newest +opens \d+\n$/,
    );
  });
});

test('without a vault the answer is no, and nothing is made', async () => {
  const { exitCode, stderr } = await cortex('list');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('there is no vault');
});

test('a gateway with another key than its vault’s does not start, and a command says the same', async () => {
  await link([userOf('ada'), 'linear']);
  await Bun.write(join(folder.path, 'keys', 'vault.key'), Buffer.alloc(32, 1).toString('base64url'));
  await expect(start()).rejects.toThrow(/sealed with another key/);
  const { exitCode, stderr } = await cortex('status');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('sealed with another key');
});

test('the keys may come from the environment, and are then the operator’s to turn', async () => {
  const keyOf = (fill: number) => Buffer.alloc(32, fill).toString('base64url');
  const withKeys = (line: string, ...fills: number[]) =>
    run(`vault ${line} --config ${configFile}`, {
      cwd: folder.path,
      environment: { CORTEX_VAULT_KEY: fills.map(keyOf).join(',') },
    });
  config = {
    ...config,
    keys: { ...config.keys, vault: { ...config.keys.vault, text: new Secret(keyOf(1)) } },
  };
  await link([userOf('ada'), 'linear']);
  expect((await withKeys('list', 2)).stderr).toContain('sealed with another key');
  const rotated = await withKeys('rotate --forget-old', 2, 1);
  expect(rotated.exitCode).toBe(1);
  expect(rotated.stdout).toMatch(/the newest key of the ring/);
  expect(rotated.stderr).toContain('the older keys are yours to remove');
  expect((await withKeys('list', 2)).stdout).toContain('ada');
  expect((await withKeys('list', 1)).exitCode).not.toBe(0);
});
