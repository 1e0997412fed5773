import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cortexCommand } from '../support/binary.ts';
import { useCompiledBinary } from '../support/compiled-binary.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';

const root = join(import.meta.dirname, '..', '..');
let folder: TempFolder;
let server: ReturnType<typeof Bun.serve>;
let releaseKey = '';
let archiveName = '';
/** What the server does to a file, by its name. */
const tampered = new Map<string, (file: Uint8Array) => Uint8Array>();

beforeAll(async () => {
  await useCompiledBinary();
  folder = await createTempFolder();
  const release = join(folder.path, 'release');
  await mkdir(release);
  const platform = Bun.spawnSync(['uname', '-sm']).stdout.toString();
  archiveName = `cortex-linux-${platform.includes('aarch64') ? 'arm64' : 'x64'}.tar.gz`;
  await cp(cortexCommand()[0] ?? '', join(release, 'cortex'));
  await chmod(join(release, 'cortex'), 0o755);
  await cp(join(root, 'docs', 'cortex.1'), join(release, 'cortex.1'));
  run(['tar', '-I', 'gzip -1', '-cf', join(release, archiveName), '-C', release, 'cortex', 'cortex.1']);
  const sum = createHash('sha256').update(await readFile(join(release, archiveName)));
  await writeFile(join(release, 'SHA256SUMS'), `${sum.digest('hex')}  ${archiveName}\n`);
  const key = join(folder.path, 'key');
  run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'release', '-f', key]);
  releaseKey = (await readFile(`${key}.pub`, 'utf8')).trim();
  run(['ssh-keygen', '-q', '-Y', 'sign', '-f', key, '-n', 'file', join(release, 'SHA256SUMS')]);
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const name = new URL(request.url).pathname.replace('/latest/download/', '');
      const file = Bun.file(join(release, name));
      if (name.includes('/') || !(await file.exists())) return new Response(null, { status: 404 });
      const change = tampered.get(name);
      const bytes = await file.bytes();
      return new Response(Buffer.from(change === undefined ? bytes : change(bytes)));
    },
  });
}, 180_000);
afterAll(async () => {
  await server.stop(true);
  await folder[Symbol.asyncDispose]();
});

function run(command: readonly string[]): void {
  const done = Bun.spawnSync([...command]);
  if (done.exitCode !== 0) throw new Error(`${command.join(' ')}: ${done.stderr.toString()}`);
}

/** Runs the script in a home of its own, away from the checkout. */
async function install(
  home: string,
  more: Readonly<Record<string, string>> = {},
  ...args: readonly string[]
) {
  const script = join(folder.path, 'install.sh');
  await cp(join(root, 'install.sh'), script);
  // Not synchronously: the server that it asks runs in this very process.
  const child = Bun.spawn(['sh', script, ...args], {
    cwd: home,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      CORTEX_RELEASE_URL: `http://127.0.0.1:${server.port}`,
      CORTEX_RELEASE_KEY: releaseKey,
      ...more,
    },
  });
  const said = await new Response(child.stderr).text();
  return { exitCode: await child.exited, said, files: await readdir(home, { recursive: true }) };
}

async function emptyHome(): Promise<string> {
  const home = join(folder.path, `home-${crypto.randomUUID().slice(0, 8)}`);
  await mkdir(home);
  return home;
}

describe('install.sh', () => {
  test('installs a signed release, replaces it, and is gone without a trace', async () => {
    const home = await emptyHome();
    const first = await install(home);
    expect(first.exitCode, first.said).toBe(0);
    expect(first.files.filter((name) => /cortex/.test(name)).toSorted()).toEqual([
      '.local/bin/cortex',
      '.local/share/man/man1/cortex.1',
    ]);
    const version = Bun.spawnSync([join(home, '.local/bin/cortex'), '--version']).stdout.toString();
    expect(first.said).toContain(version.trim());
    expect((await install(home)).exitCode).toBe(0);
    const removed = await install(home, {}, '--uninstall');
    expect(removed).toMatchObject({ exitCode: 0, files: [] });
    const again = await install(home, {}, '--uninstall');
    expect(again).toMatchObject({ exitCode: 1, said: expect.stringContaining('there is no') });
  });

  const attacks: readonly (readonly [
    what: string,
    file: () => string,
    change: (bytes: Uint8Array) => Uint8Array,
    said: string,
  ])[] = [
    [
      'an archive that is another',
      () => archiveName,
      (bytes) => Buffer.concat([bytes, Buffer.from('x')]),
      'is not the file that was signed',
    ],
    [
      'an archive that is cut off',
      () => archiveName,
      (bytes) => bytes.subarray(0, 1_000_000),
      'is not the file that was signed',
    ],
    [
      'checksums that were changed after signing',
      () => 'SHA256SUMS',
      (bytes) => Buffer.from(Buffer.from(bytes).toString().replace(/^../, '00')),
      'is not that of the release key',
    ],
    [
      'a signature that is none',
      () => 'SHA256SUMS.sig',
      () => Buffer.from('-----BEGIN SSH SIGNATURE-----\n'),
      'is not that of the release key',
    ],
  ];
  test.each(attacks)('refuses %s, and leaves nothing behind', async (_what, file, change, said) => {
    tampered.set(file(), change);
    const refused = await install(await emptyHome());
    tampered.clear();
    expect(refused).toMatchObject({ exitCode: 1, said: expect.stringContaining(said), files: [] });
  });

  test('refuses a release that somebody else signed', async () => {
    const key = join(folder.path, 'stranger');
    run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'x', '-f', key]);
    const stranger = (await readFile(`${key}.pub`, 'utf8')).trim();
    const refused = await install(await emptyHome(), { CORTEX_RELEASE_KEY: stranger });
    expect(refused).toMatchObject({
      exitCode: 1,
      said: expect.stringContaining('is not that of the release key'),
    });
  });

  test('says so where there is no build for this platform, no release, or no key to verify one with', async () => {
    const home = await emptyHome();
    const tools = join(folder.path, 'tools');
    await mkdir(tools);
    await writeFile(join(tools, 'uname'), '#!/bin/sh\n[ "$1" = -s ] && echo Linux || echo riscv64\n', {
      mode: 0o755,
    });
    const unknown = await install(home, { PATH: `${tools}:${process.env.PATH ?? ''}` });
    expect(unknown).toMatchObject({
      exitCode: 1,
      said: expect.stringContaining('no build for riscv64'),
      files: [],
    });
    await writeFile(join(tools, 'uname'), '#!/bin/sh\n[ "$1" = -s ] && echo Darwin || echo arm64\n', {
      mode: 0o755,
    });
    const missing = await install(home, { PATH: `${tools}:${process.env.PATH ?? ''}` });
    expect(missing).toMatchObject({
      exitCode: 1,
      said: expect.stringContaining('the release has no cortex-darwin-arm64'),
    });
    await rm(tools, { recursive: true });
    const none = await install(home, { CORTEX_VERSION: '9.9.9' });
    expect(none).toMatchObject({ exitCode: 1, said: expect.stringContaining('no SHA256SUMS at') });
    const keyless = await install(home, { CORTEX_RELEASE_URL: '', CORTEX_RELEASE_KEY: '' });
    expect(keyless).toMatchObject({
      exitCode: 1,
      said: expect.stringContaining('knows no release'),
      files: [],
    });
  });

  test('builds in a checkout, and leaves nothing but the command in the home', {
    timeout: 240_000,
  }, async () => {
    const checkout = join(folder.path, 'checkout');
    run(['git', 'clone', '-q', '--depth', '1', `file://${root}`, checkout]);
    await cp(join(root, 'install.sh'), join(checkout, 'install.sh'));
    const home = await emptyHome();
    const env = { PATH: process.env.PATH ?? '', HOME: home };
    const done = Bun.spawnSync(['sh', join(checkout, 'install.sh')], { cwd: home, env, timeout: 200_000 });
    expect(done.exitCode, done.stderr.toString()).toBe(0);
    expect(await readdir(home, { recursive: true })).toEqual(
      expect.arrayContaining(['.local', '.local/bin', '.local/bin/cortex']),
    );
    expect(await readdir(home)).toEqual(['.local']);
    const removed = Bun.spawnSync(['sh', join(checkout, 'install.sh'), '--uninstall'], { cwd: home, env });
    expect(removed.exitCode).toBe(0);
    expect(await readdir(home)).toEqual([]);
  });

  test('is clean by shellcheck', () => {
    if (Bun.which('shellcheck') === null) return console.log('skipped: shellcheck is not installed');
    const checked = Bun.spawnSync(['shellcheck', join(root, 'install.sh')]);
    expect(checked.stdout.toString()).toBe('');
  });
});
