import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { bundleOptions } from './build.ts';
import { notices } from './notices.ts';
import { registryEntry, registryName } from './registry-entry.ts';

const root = join(import.meta.dirname, '..');

/**
 * Makes what npm gets, in `dist/npm`, and the entry of the MCP registry beside it: the command in one piece, which
 * needs Bun and nothing else. `bun deploy/npm-package.ts <owner/name of the repository>`
 */
export async function makeNpmPackage(repository: string, out: string): Promise<void> {
  await rm(out, { recursive: true, force: true });
  const dist = join(out, 'dist');
  const built = await Bun.build({
    ...bundleOptions,
    outdir: dist,
    // All in one folder, where the templates lie too.
    naming: { entry: '[name]-[hash].[ext]', chunk: '[name]-[hash].[ext]' },
  });
  const entry = built.outputs.find(
    ({ kind, path }) => kind === 'entry-point' && /\/cortex-\w+\.js$/.test(path),
  );
  if (entry === undefined) throw new Error('the bundle has no entry');
  await writeFile(join(dist, 'start.js'), `import './${basename(entry.path)}';\n`);
  await cp(join(root, 'templates'), join(dist, 'templates'), { recursive: true });
  await mkdir(join(out, 'bin'));
  await cp(join(root, 'deploy/npm/cortex.mjs'), join(out, 'bin/cortex.mjs'));
  await writeFile(join(out, 'bin/bunfig.toml'), '');
  await writeFile(join(out, 'bin/tsconfig.json'), '{}\n');
  for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md']) await cp(join(root, name), join(out, name));
  await writeFile(join(out, 'NOTICES.txt'), await notices());
  const own: { readonly version: string; readonly description: string } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  );
  const about = {
    name: 'cortex-gateway',
    mcpName: registryName(repository),
    version: own.version,
    description: own.description,
    keywords: ['mcp', 'model-context-protocol', 'gateway', 'oauth', 'permissions'],
    license: 'MIT',
    repository: { type: 'git', url: `git+https://github.com/${repository}.git` },
    type: 'module',
    bin: { cortex: 'bin/cortex.mjs' },
    files: ['bin', 'dist', 'CHANGELOG.md', 'NOTICES.txt'],
    engines: { node: '>=20' },
    dependencies: { bun: Bun.version },
    publishConfig: { access: 'public', provenance: true },
  };
  await writeFile(join(out, 'package.json'), `${JSON.stringify(about, undefined, 2)}\n`);
  const listed = registryEntry({ repository, version: own.version });
  await writeFile(join(out, '..', 'server.json'), `${JSON.stringify(listed, undefined, 2)}\n`);
}

if (import.meta.main) {
  const [repository = ''] = process.argv.slice(2);
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new Error('usage: bun deploy/npm-package.ts <owner/name of the repository>');
  await makeNpmPackage(repository, join(root, 'dist/npm'));
}
