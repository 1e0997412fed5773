import { Database } from 'bun:sqlite';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '#cli/running-gateway.ts';
import type { Config } from '#config/config.ts';
import { loadConfig } from '#config/load-config.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

const issuer = 'http://127.0.0.1:1';
const otherIssuer = 'http://127.0.0.1:2';
let folder: TempFolder;
let configFile = '';
let config: Config;
let running: RunningGateway | undefined;

beforeEach(async () => {
  folder = await createTempFolder();
  await configure([issuer]);
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await folder[Symbol.asyncDispose]();
});

async function configure(issuers: readonly string[]): Promise<void> {
  const port = freePort();
  configFile = await writeConfig(folder.path, {
    gateway: { url: `http://127.0.0.1:${port}/mcp`, listen: `127.0.0.1:${port}` },
    auth: { issuers: issuers.map((url) => ({ url })), challenge_scopes: ['s'] },
  });
  const environment = { HOME: folder.path };
  const loaded = await loadConfig({
    cwd: folder.path,
    environment,
    file: configFile,
    flags: {},
    mayExpandSecrets: true,
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  config = loaded.value.config;
}

async function start(): Promise<void> {
  const terminal = {
    cwd: folder.path,
    environment: { HOME: folder.path },
    out() {},
    say() {},
    isInteractive: false,
    columns: 80,
  };
  running = await startGateway(config, terminal, { isDev: false, reload: async () => [] });
}

const cortex = (line: string) => run(`${line} --config ${configFile}`, { cwd: folder.path });

function kept(): readonly unknown[] {
  const store = new Database(config.store.path, { readonly: true });
  const rows = store.query('SELECT issuer, kind, value FROM revocations ORDER BY value').all();
  store.close();
  return rows;
}

describe('cortex revoke', () => {
  test('prints how many replicas of the running gateway confirmed, and in how long', async () => {
    await start();
    const { exitCode, stdout } = await cortex('revoke --user ada');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^revoked at http:\/\/127\.0\.0\.1:1: 1 replica confirmed in \d+\.\d ms; 0 streams and 0 calls ended\n$/,
    );
    expect(kept()).toEqual([{ issuer, kind: 'subject', value: 'ada' }]);
  });

  test.each([
    ['--user ada', 'subject', 'ada'],
    ['--session sid-1', 'session', 'sid-1'],
    ['--client agent', 'client', 'agent'],
    ['--grant g-1', 'grant', 'g-1'],
    ['--token-id jti-1', 'token', 'jti-1'],
    [`--issuer ${issuer}`, 'issuer', ''],
  ])('%s means that kind', async (options, kind, value) => {
    await start();
    const { exitCode, stdout } = await cortex(`revoke ${options} --json`);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ kind, issuer, replicas: 1, closed: { streams: 0, calls: 0 } });
    expect(kept()).toEqual([{ issuer, kind, value }]);
  });

  test('is kept where no gateway runs, recorded, and holds from the next start on', async () => {
    await start();
    await running?.stop();
    const { exitCode, stdout } = await cortex('revoke --user ada');
    expect([exitCode, stdout]).toEqual([0, 'kept: no gateway runs; it is refused from the next start on\n']);
    expect(kept()).toEqual([{ issuer, kind: 'subject', value: 'ada' }]);
    const audit = readdirSync(config.audit.dir).filter((name) => name.endsWith('.jsonl'));
    const lines = audit.map((name) => readFileSync(join(config.audit.dir, name), 'utf8')).join('');
    expect(lines).toMatch(/"action":"revoke","actor":"local","of":"subject"/);
    expect((await cortex('audit verify')).exitCode).toBe(0);
    await start();
  });

  const mistakes: readonly (readonly [string, string, RegExp])[] = [
    ['nothing', 'revoke', /nothing was named/],
    ['two things', 'revoke --user ada --client agent', /one thing at a time/],
    ['a user that a script left empty', `revoke --user= --issuer ${issuer}`, /which subject\?/],
    ['an issuer that a script left empty', 'revoke --issuer=', /no such issuer/],
    ['a stranger’s issuer', 'revoke --user ada --issuer https://elsewhere.example', /no such issuer/],
    ['no time', 'revoke --user ada --before yesterday', /is no time/],
    ['a time far ahead', 'revoke --user ada --before 2999-01-01T00:00:00Z', /more than a day ahead/],
  ];
  test.each(mistakes)('given %s is a mistake, and revokes nothing', async (_what, line, words) => {
    await start();
    const { exitCode, stderr } = await cortex(line);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(words);
    expect(kept()).toEqual([]);
  });

  test('asks whose user is meant where several issuers are configured', async () => {
    await configure([issuer, otherIssuer]);
    await start();
    const { exitCode, stderr } = await cortex('revoke --user ada');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('name one: --issuer <url>');
    expect((await cortex(`revoke --user ada --issuer ${otherIssuer}`)).exitCode).toBe(0);
    expect(kept()).toEqual([{ issuer: otherIssuer, kind: 'subject', value: 'ada' }]);
  });

  test('says no, and not that it is done, where the gateway cannot keep it', async () => {
    await start();
    const store = new Database(config.store.path);
    store.run('DROP TABLE revocations');
    store.close();
    const { exitCode, stdout, stderr } = await cortex('revoke --user ada');
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toContain('the store cannot be written');
  });

  test('--before leaves what was issued later alone', async () => {
    await start();
    await cortex('revoke --user ada --before 2026-01-02T03:04:05Z');
    const store = new Database(config.store.path, { readonly: true });
    expect(store.query('SELECT before FROM revocations').all()).toEqual([{ before: 1_767_323_045 }]);
    store.close();
  });
});
