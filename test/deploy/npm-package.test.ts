import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeNpmPackage } from '../../deploy/npm-package.ts';
import { registryEntry } from '../../deploy/registry-entry.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';

/** Why the package cannot be installed on this machine; undefined: it can. */
const obstacle = await (async () => {
  if (Bun.which('npm') === null || Bun.which('node') === null) return 'npm is not installed';
  const asked = Bun.spawn(['npm', 'view', 'bun@1.4.5', 'version'], { stdout: 'ignore', stderr: 'pipe' });
  const said = await new Response(asked.stderr).text();
  return (await asked.exited) === 0 ? undefined : `npm reaches no registry: ${said.trim().split('\n')[0]}`;
})();
if (obstacle !== undefined) console.log(`skipped: the npm package is not installed here: ${obstacle}`);

let temp: TempFolder;
let about: Readonly<Record<string, unknown>>;
beforeAll(async () => {
  temp = await createTempFolder();
  await makeNpmPackage('someone/cortex-gateway', join(temp.path, 'npm'));
  about = JSON.parse(await readFile(join(temp.path, 'npm/package.json'), 'utf8'));
}, 60_000);
afterAll(() => temp[Symbol.asyncDispose]());

/** Without the `node` that Bun puts in front for whatever it runs. */
const path = (process.env.PATH ?? '')
  .split(':')
  .filter((folder) => !folder.includes('bun-node'))
  .join(':');

async function run(
  command: readonly string[],
  cwd: string,
  more: Readonly<Record<string, string>> = {},
): Promise<{ readonly exitCode: number; readonly out: string; readonly said: string }> {
  const home = join(temp.path, 'home');
  const npm = { npm_config_cache: process.env.npm_config_cache ?? join(process.env.HOME ?? '', '.npm') };
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(?:TMPDIR|.*proxy|npm_config_.*|NODE_EXTRA_.*)$/i.test(name),
  );
  const child = Bun.spawn([...command], {
    cwd,
    env: { ...Object.fromEntries(kept), ...npm, HOME: home, PATH: path, ...more },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, said, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, out, said };
}

describe('what npm gets', () => {
  test('is the command, its launcher and its licences, and brings nothing but Bun', async () => {
    expect(about).toMatchObject({
      name: 'cortex-gateway',
      mcpName: 'io.github.someone/cortex-gateway',
      bin: { cortex: 'bin/cortex.mjs' },
      dependencies: { bun: Bun.version },
      publishConfig: { access: 'public', provenance: true },
    });
    const notices = await readFile(join(temp.path, 'npm/NOTICES.txt'), 'utf8');
    for (const name of ['jose', 'commander', 'yaml', 'ink', 'react', 'undici']) {
      expect(notices).toMatch(
        new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((?:MIT|ISC|Apache-2.0|BSD-\\d-Clause)\\)$`, 'm'),
      );
    }
    expect(notices).not.toContain('no licence named');
    for (const name of await readdir(join(temp.path, 'npm/dist')))
      expect(name).toMatch(/^(?:templates|[\w-]+\.js)$/);
  });

  test('is what the entry of the MCP registry names, in its words', () => {
    const entry = registryEntry({ repository: 'someone/cortex-gateway', version: '1.2.3' });
    expect(entry.name).toMatch(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/);
    expect(entry.name).toBe(about.mcpName);
    expect(entry.description.length).toBeLessThanOrEqual(100);
    const [pack] = entry.packages;
    expect(pack).toMatchObject({ registryType: 'npm', identifier: about.name, version: '1.2.3' });
    expect(pack?.packageArguments[0]).toEqual({ type: 'positional', value: 'stdio' });
  });
});

describe.skipIf(obstacle !== undefined)('the npm package, in an empty home', () => {
  let packed = '';
  beforeAll(async () => {
    await mkdir(join(temp.path, 'home'));
    await mkdir(join(temp.path, 'app'));
    const made = await run(['npm', 'pack', '--silent', join(temp.path, 'npm')], temp.path);
    packed = join(temp.path, made.out.trim());
    const options = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts'];
    const installed = await run(['npm', 'install', ...options, packed], join(temp.path, 'app'));
    expect(installed.exitCode, installed.said).toBe(0);
  }, 300_000);
  const bin = () => join(temp.path, 'app/node_modules/.bin/cortex');

  test('runs though no script of an installation ran', async () => {
    const version = await run([bin(), '--version'], temp.path);
    expect(version).toEqual({ exitCode: 0, out: `cortex ${about.version}\n`, said: '' });
    const byBun = await run([process.execPath, bin(), '--version'], temp.path);
    expect(byBun.out, byBun.said).toBe(version.out);
    const unknown = await run([bin(), 'nosuch'], temp.path);
    expect([unknown.exitCode, unknown.out]).toEqual([2, '']);
  }, 60_000);

  test('runs under npx where the scripts ran, and takes the whole tour', async () => {
    const app = join(temp.path, 'scripted');
    await mkdir(app);
    const installed = await run(['npm', 'install', '--silent', '--no-audit', '--no-fund', packed], app);
    expect(installed.exitCode, installed.said).toBe(0);
    const tour = await run(['npx', '--no', 'cortex', 'demo', '--once'], app);
    expect(tour.exitCode, tour.said + tour.out).toBe(0);
  }, 180_000);

  test('brings its templates', async () => {
    const made = await run([bin(), 'backend', 'init', 'mine', '--template', 'node'], temp.path);
    expect(made.exitCode, made.said).toBe(0);
    expect(await readdir(join(temp.path, 'mine'))).toContain('backend.js');
  }, 60_000);

  test('takes neither settings nor code from the folder it is started in', async () => {
    const folder = join(temp.path, 'cloned');
    await mkdir(folder);
    await writeFile(
      join(folder, '.env'),
      'CORTEX__GATEWAY__LISTEN=0.0.0.0:1\nOAUTH_ISSUER=https://evil.example\n',
    );
    await writeFile(join(folder, 'bunfig.toml'), 'preload = ["./evil.ts"]\n');
    await writeFile(join(folder, 'evil.ts'), 'await Bun.write("was-here", "x");\n');
    await writeFile(join(folder, 'package.json'), '{"imports": {"#cli/*": "./evil.ts"}}\n');
    await writeFile(join(folder, 'tsconfig.json'), '{"compilerOptions": {"paths": {"*": ["./evil.ts"]}}}\n');
    const checked = await run([bin(), 'check'], folder, {
      OAUTH_ISSUER: 'https://auth.example.com',
    });
    expect(checked.exitCode, checked.out + checked.said).toBe(0);
    expect(checked.out).not.toContain('evil');
    expect(checked.out).toMatch(/gateway\.listen +127\.0\.0\.1:3213 +default/);
    expect(await Bun.file(join(folder, 'was-here')).exists()).toBe(false);
  }, 60_000);

  test('ends with the signal that ends it', async () => {
    const config = join(temp.path, 'cortex.yaml');
    const auth = 'auth: { issuers: [{ url: http://127.0.0.1:1 }] }\nplans: { everyone: [mcp:x] }\n';
    await writeFile(config, `version: 1\nstate_dir: state\ngateway: { listen: "127.0.0.1:0" }\n${auth}`);
    const child = Bun.spawn([bin(), 'serve', '--config', config], {
      env: { PATH: path, HOME: join(temp.path, 'home') },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'pipe',
    });
    let said = '';
    for await (const piece of child.stderr.pipeThrough(new TextDecoderStream())) {
      if (!said.includes('gateway.listening') && `${said}${piece}`.includes('gateway.listening'))
        child.kill('SIGTERM');
      said += piece;
    }
    expect(await child.exited, said).toBe(0);
    expect(said).toContain('gateway.stopping signal=SIGTERM');
  }, 60_000);
});
