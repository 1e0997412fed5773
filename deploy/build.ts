import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lazyBuiltins } from './lazy-builtins.ts';
import { withoutDevtools } from './without-devtools.ts';

const root = join(import.meta.dirname, '..');

/** What a release is built for: as its archive is named, and as Bun names it. */
export const platforms = {
  'linux-x64': 'bun-linux-x64',
  'linux-arm64': 'bun-linux-arm64',
  'linux-x64-musl': 'bun-linux-x64-musl',
  'linux-arm64-musl': 'bun-linux-arm64-musl',
  'darwin-x64': 'bun-darwin-x64',
  'darwin-arm64': 'bun-darwin-arm64',
  'windows-x64': 'bun-windows-x64',
} as const;
export type Platform = keyof typeof platforms;

/** What every build of the command has in common. Only white space is minified: libraries rely on the names of their classes. */
export const bundleOptions = {
  entrypoints: [join(root, 'bin', 'cortex.ts')],
  root,
  target: 'bun',
  format: 'esm',
  minify: { whitespace: true },
  splitting: true,
  plugins: [lazyBuiltins, withoutDevtools],
  // React draws views several times faster without the checks it makes for developers.
  define: { 'process.env.NODE_ENV': '"production"' },
} satisfies Parameters<typeof Bun.build>[0];

/**
 * Compiles `outfile` for a platform, by default this machine's. The file must not read the `.env` and `bunfig.toml` of
 * whatever folder it is started in.
 */
export async function build(outfile: string, platform?: Platform): Promise<void> {
  const templates = join(root, 'templates');
  const result = await Bun.build({
    ...bundleOptions,
    bytecode: true,
    define: { ...bundleOptions.define, CORTEX_BUILD_COMMIT: JSON.stringify(await commit()) },
    compile: {
      outfile,
      ...(platform && { target: platforms[platform] }),
      autoloadDotenv: false,
      autoloadBunfig: false,
      ...(existsSync(templates) && { assets: [templates] }),
    },
  });
  for (const message of result.logs) process.stderr.write(`${message}\n`);
}

/** Where the folder is no checkout, the file says so. */
async function commit(): Promise<string> {
  const git = Bun.spawn(['git', 'rev-parse', '--short=12', 'HEAD'], { cwd: root, stderr: 'ignore' });
  const name = (await new Response(git.stdout).text()).trim();
  return name === '' ? 'unknown' : name;
}

if (import.meta.main) await build(join(root, 'dist', 'cortex'));
