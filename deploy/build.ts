import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lazyBuiltins } from './lazy-builtins.ts';

const root = join(import.meta.dirname, '..');

/**
 * Compiles `dist/cortex`. Only white space is minified: libraries rely on the names of their classes. The file
 * must not read the `.env` and `bunfig.toml` of whatever folder it is started in.
 */
async function build(): Promise<void> {
  const templates = join(root, 'templates');
  const result = await Bun.build({
    entrypoints: [join(root, 'bin', 'cortex.ts')],
    root,
    target: 'bun',
    format: 'esm',
    minify: { whitespace: true },
    splitting: true,
    bytecode: true,
    plugins: [lazyBuiltins],
    define: { CORTEX_BUILD_COMMIT: JSON.stringify(await commit()) },
    compile: {
      outfile: join(root, 'dist', 'cortex'),
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

await build();
