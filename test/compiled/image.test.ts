import { chown, copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cortexCommand } from '../support/binary.ts';
import { useCompiledBinary } from '../support/compiled-binary.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';

const dockerfile = join(import.meta.dirname, '../../Dockerfile');
const nobody = 65_532;

/** Why the image cannot be built and started on this machine; undefined: it can. */
const obstacle = (() => {
  if (process.platform !== 'linux') return 'it is no Linux';
  if (process.getuid?.() !== 0) return 'it takes root';
  const missing = ['buildah', 'unshare', 'nsenter', 'setpriv', 'mount'].filter(
    (name) => Bun.which(name) === null,
  );
  if (missing.length > 0) return `${missing.join(', ')} not installed`;
  const tried = Bun.spawnSync([
    'unshare',
    '--mount',
    '--pid',
    '--fork',
    'mount',
    '-t',
    'tmpfs',
    'none',
    '/mnt',
  ]);
  return tried.exitCode === 0 ? undefined : `no namespace may be made: ${tried.stderr.toString().trim()}`;
})();
if (obstacle !== undefined) console.log(`skipped: the image is not built here: ${obstacle}`);

async function run(...command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdout: 'pipe', stderr: 'pipe', stdin: 'ignore' });
  const [out, said] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(' ')}: ${said}${out}`);
  return out.trim();
}

/** Without a registry: what the compiled file is linked against, from this machine, and a user without rights. */
async function makeBase(folder: string): Promise<void> {
  const linked = await run('ldd', cortexCommand()[0] ?? '');
  for (const [library] of linked.matchAll(/\/\S+\.so[.\d]*/g)) {
    await mkdir(join(folder, dirname(library)), { recursive: true });
    await copyFile(library, join(folder, library));
  }
  await mkdir(join(folder, 'etc'), { recursive: true });
  await writeFile(join(folder, 'etc/passwd'), `nonroot:x:${nobody}:${nobody}::/:/sbin/nologin\n`);
  for (const name of ['proc', 'tmp', 'etc/cortex', 'var/lib/cortex', 'var/lib/cortex-keys'])
    await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, 'etc/cortex/cortex.yaml'), '');
}

/** What an engine does with an image: its root read-only, its volumes mounted, its user, no rights to gain, a network of its own. */
const engine = `
set -e
root=$1 own=$2; shift 2
mount --bind "$root" "$root"
mount -o remount,ro,bind "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$own/cortex.yaml" "$root/etc/cortex/cortex.yaml"
mount --bind "$own/state" "$root/var/lib/cortex"
mount --bind "$own/keys" "$root/var/lib/cortex-keys"
exec setpriv --no-new-privs chroot --userspec="$USERSPEC" --groups="" "$root" "$@"
`;

interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Healthcheck: { readonly Test: readonly string[] };
}

describe.skipIf(obstacle !== undefined)('the image', () => {
  let temp: TempFolder;
  let config: ImageConfig;
  let rootFolder = '';
  let store: readonly string[] = [];

  beforeAll(async () => {
    await useCompiledBinary();
    temp = await createTempFolder();
    const at = (name: string) => join(temp.path, name);
    store = ['--root', at('storage'), '--runroot', at('run'), '--storage-driver', 'vfs'];
    await makeBase(at('base'));
    await mkdir(at('context/dist'), { recursive: true });
    await copyFile(cortexCommand()[0] ?? '', at('context/dist/cortex'));
    const base = await run('buildah', ...store, 'from', 'scratch');
    await run('buildah', ...store, 'copy', '-q', base, at('base'), '/');
    await run('buildah', ...store, 'commit', '-q', '--rm', base, 'localhost/base:test');
    const build = [
      'bud',
      '-q',
      '--format',
      'docker',
      '--isolation',
      'chroot',
      '--build-arg',
      'BASE=localhost/base:test',
    ];
    await run('buildah', ...store, ...build, '-t', 'localhost/cortex:test', '-f', dockerfile, at('context'));
    const told: { readonly Docker: { readonly config: ImageConfig } } = JSON.parse(
      await run('buildah', ...store, 'inspect', '--type', 'image', 'localhost/cortex:test'),
    );
    config = told.Docker.config;
    const container = await run('buildah', ...store, 'from', 'localhost/cortex:test');
    rootFolder = await run('buildah', ...store, 'mount', container);
    for (const name of ['state', 'keys']) {
      await mkdir(at(name));
      await chown(at(name), nobody, nobody);
    }
    await writeFile(
      at('cortex.yaml'),
      'version: 1\ngateway: { url: http://127.0.0.1:3213/mcp }\nauth: { issuers: [{ url: http://127.0.0.1:1 }] }\nplans: { everyone: [mcp:x] }\n',
    );
  }, 300_000);
  afterAll(async () => {
    await run('buildah', ...store, 'umount', '--all');
    await temp[Symbol.asyncDispose]();
  });

  test('starts as it is, without rights, on a root that cannot be written, and is healthy; SIGTERM ends it', async () => {
    const env = Object.fromEntries(config.Env.map((entry) => entry.split(/=(.*)/s).slice(0, 2)));
    const inside = ['sh', '-c', engine, 'engine', rootFolder, temp.path, ...config.Entrypoint, ...config.Cmd];
    const child = Bun.spawn(['unshare', '--mount', '--pid', '--net', '--fork', '--kill-child', ...inside], {
      env: { ...env, PATH: `${env.PATH ?? ''}:${process.env.PATH ?? ''}`, USERSPEC: config.User },
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const said = new Response(child.stderr).text();
    const ended = child.exited.then((code) => `ended with ${code}`);
    await using _ = { [Symbol.asyncDispose]: async () => child.kill('SIGKILL') };
    const gateway = await untilChild(child.pid);
    const enter = ['nsenter', '--target', String(gateway), '--mount', '--pid', '--net'];
    const [, ...healthCheck] = config.Healthcheck.Test;
    const isHealthy = async () => {
      const check = Bun.spawn([...enter, 'chroot', `--userspec=${config.User}`, rootFolder, ...healthCheck], {
        env,
        stdout: 'ignore',
        stderr: 'ignore',
      });
      return (await check.exited) === 0;
    };
    for (;;) {
      const state = await Promise.race([isHealthy(), ended]);
      if (typeof state === 'string') throw new Error(`${state}: ${await said}`);
      if (state) break;
    }

    const status = await readFile(`/proc/${gateway}/status`, 'utf8');
    expect(status).toMatch(new RegExp(`^Uid:\\t${nobody}\\t${nobody}\\t${nobody}\\t${nobody}$`, 'm'));
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    const mounts = await readFile(`/proc/${gateway}/mountinfo`, 'utf8');
    expect(mounts).toMatch(/^\S+ \S+ \S+ \S+ \/ ro\b/m);
    // 3213 in hexadecimal, at every address, listening.
    expect(await readFile(`/proc/${gateway}/net/tcp`, 'utf8')).toMatch(/ 00000000:0C8D \S+ 0A /);
    const key = await stat(join(temp.path, 'keys/seal.key'));
    expect([key.uid, key.mode & 0o777]).toEqual([nobody, 0o600]);

    process.kill(gateway, 'SIGTERM');
    expect(await child.exited, await said).toBe(0);
  }, 120_000);

  test('holds nothing beside its base but the command', async () => {
    const files = await run('find', join(rootFolder, 'usr/local'), '-type', 'f');
    expect(files).toBe(join(rootFolder, 'usr/local/bin/cortex'));
    expect([config.User, config.Entrypoint]).toEqual([`${nobody}:${nobody}`, ['/usr/local/bin/cortex']]);
  });
});

/** The process that `unshare` forked, once it is the command itself. */
async function untilChild(parent: number): Promise<number> {
  for (;;) {
    const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => '');
    const child = Number(children.trim().split(' ')[0] ?? 0);
    const command = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
    if (command.startsWith('/usr/local/bin/cortex')) return child;
    if (children === '' && !(await Bun.file(`/proc/${parent}/stat`).exists()))
      throw new Error('it did not start');
    await Bun.sleep(10);
  }
}
