import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isJsonObject, parseJson } from '#kernel/json.ts';
import { writeConfig } from '../support/config-file.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

let folder: TempFolder;
let configFile = '';
const basis = {
  gateway: { url: 'http://127.0.0.1:3213/mcp' },
  auth: { issuers: [{ url: 'http://127.0.0.1:1' }] },
  plans: { free: ['s'] },
};
beforeEach(async () => {
  folder = await createTempFolder();
  configFile = await writeConfig(folder.path, basis);
});
afterEach(() => folder[Symbol.asyncDispose]());

const keys = (line: string) => run(`keys ${line} --config ${configFile}`);
const keyFile = (name: string) => join(folder.path, 'keys', `${name}.key`);
const secretsOf = (name: string) => readFileSync(keyFile(name), 'utf8').trim().split('\n');

async function listed(): Promise<readonly Record<string, unknown>[]> {
  const parsed = parseJson((await keys('list --json')).stdout);
  const found = parsed.ok && isJsonObject(parsed.value) ? parsed.value.keys : undefined;
  return Array.isArray(found) ? found : [];
}

describe('keys', () => {
  test('are absent before the first start, and listing them makes none', async () => {
    const result = await keys('list');
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toMatch(/^seal +absent/m);
    expect(existsSync(join(folder.path, 'keys'))).toBe(false);
  });

  test('are made 0600 and once, and are never shown by any command', async () => {
    const made = await keys('generate');
    expect(made.exitCode).toBe(0);
    const names = ['seal', 'audit', 'checkpoint', 'assertion', 'vault'];
    for (const name of names) expect(statSync(keyFile(name)).mode & 0o777).toBe(0o600);
    const before = names.flatMap(secretsOf);
    const again = await keys('generate');
    expect(again.stdout).toBe('');
    expect(names.flatMap(secretsOf)).toEqual(before);
    const outputs = [made, again, await keys('list'), await keys('list --json'), await keys('jwks')];
    outputs.push(await keys('rotate seal'), await keys('rotate assertion --json'));
    const said = outputs.map(({ stdout, stderr }) => stdout + stderr).join('\n');
    for (const secret of names.flatMap(secretsOf)) expect(said).not.toContain(secret);
  });

  test('rotate: a new one above the older, in one file of mode 0600, and both are published', async () => {
    await keys('generate');
    const [before = ''] = secretsOf('assertion');
    const result = await keys('rotate assertion');
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('a minute after the restart');
    expect(secretsOf('assertion')).toHaveLength(2);
    expect(secretsOf('assertion')[1]).toBe(before);
    expect(statSync(keyFile('assertion')).mode & 0o777).toBe(0o600);
    const jwks = parseJson((await keys('jwks')).stdout);
    const published = jwks.ok && isJsonObject(jwks.value) ? jwks.value.keys : undefined;
    expect(published).toHaveLength(2);
    expect(JSON.stringify(published)).not.toContain('"d"');
  });

  test('that are older are dropped with --forget-old, but not where old records need them', async () => {
    await keys('generate');
    expect((await keys('rotate seal --forget-old')).exitCode).toBe(0);
    expect(secretsOf('seal')).toHaveLength(1);
    const [checkpoint = ''] = secretsOf('checkpoint');
    const refused = await keys('rotate checkpoint --forget-old');
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('audit.retention');
    expect(secretsOf('checkpoint')).toEqual([checkpoint]);
  });

  test('of the vault turn by the vault’s own command', async () => {
    const result = await keys('rotate vault');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('there is no vault');
  });

  test('in a file of the operator’s are neither made unasked nor changed', async () => {
    const own = join(folder.path, 'own.key');
    configFile = await writeConfig(folder.path, { ...basis, keys: { seal: { file: own } } });
    const unasked = await keys('generate');
    expect(unasked.exitCode).toBe(2);
    expect(unasked.stderr).toContain('next: cortex keys generate seal');
    expect(existsSync(own)).toBe(false);
    expect((await keys('generate seal')).exitCode).toBe(0);
    const text = readFileSync(own, 'utf8');
    const refused = await keys('rotate seal');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('a file of yours');
    expect(readFileSync(own, 'utf8')).toBe(text);
  });

  test('that others can read, or that are none, are named with what to do', async () => {
    await keys('generate');
    chmodSync(keyFile('seal'), 0o644);
    writeFileSync(keyFile('audit'), 'not a key\n');
    const result = await keys('list');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(`run: chmod 600 ${keyFile('seal')}`);
    expect(result.stderr).toContain('audit: ');
    const states = (await listed()).map(({ name, state }) => `${String(name)} ${String(state)}`);
    expect(states).toEqual([
      'seal wrong',
      'audit wrong',
      'checkpoint ready',
      'assertion ready',
      'vault ready',
    ]);
    expect((await keys('rotate audit')).exitCode).toBe(2);
    expect((await keys('generate')).exitCode).toBe(2);
  });

  test('have names: another word is answered with the nearest', async () => {
    const result = await keys('rotate seel');
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('did you mean seal?');
  });

  test('for a use of one’s own go into a new file, and no file is overwritten', async () => {
    const file = join(folder.path, 'mine.key');
    expect((await keys(`generate --out ${file}`)).exitCode).toBe(0);
    const text = readFileSync(file, 'utf8');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await keys(`generate --out ${file}`)).exitCode).toBe(2);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  test('that do not exist cannot be rotated or published', async () => {
    expect((await keys('rotate seal')).stderr).toContain('next: there is nothing to rotate');
    const jwks = await keys('jwks');
    expect(jwks.exitCode).toBe(1);
    expect(jwks.stderr).toContain('cortex keys generate assertion');
  });
});
