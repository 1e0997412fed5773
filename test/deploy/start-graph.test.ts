import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundleOptions } from '../../deploy/build.ts';
import { createTempFolder } from '../support/temp-folder.ts';

/** The packages, and built-in modules that load much, in what each entry imports before it runs. */
async function loadedBy(entries: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  await using temp = await createTempFolder();
  const built = await Bun.build({
    ...bundleOptions,
    outdir: temp.path,
    metafile: true,
  });
  const outputs = new Map(Object.entries(built.metafile?.outputs ?? {}));
  const found = new Map<string, readonly string[]>();
  for (const entry of entries) {
    const loaded = new Set<string>();
    const seen = new Set<string>();
    const visit = async (name: string): Promise<void> => {
      const output = outputs.get(name);
      if (output === undefined || seen.has(name)) return;
      seen.add(name);
      for (const input of Object.keys(output.inputs)) {
        const [, of] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(input) ?? [];
        if (of !== undefined) loaded.add(of);
      }
      const text = await Bun.file(join(temp.path, name)).text();
      for (const [, builtin = ''] of text.matchAll(/\bfrom ?["'](?:node:)?([a-z][a-z:/_]*)["']/g))
        if (!cheap.has(builtin)) loaded.add(builtin);
      for (const { kind, path } of output.imports) if (kind === 'import-statement') await visit(path);
    };
    const [start] = [...outputs].find(([, { entryPoint }]) => entryPoint?.endsWith(entry) === true) ?? [];
    if (start === undefined) throw new Error(`nothing is built of ${entry}`);
    await visit(start);
    found.set(entry, [...loaded].sort());
  }
  return found;
}

/** Native, or loaded by the runtime itself. */
const cheap: ReadonlySet<string> = new Set([
  'bun:sqlite',
  'events',
  'fs',
  'fs/promises',
  'path',
  'process',
  'url',
]);

test('a start loads no package and no built-in module but these, so that it stays quick', async () => {
  const loaded = await loadedBy(['bin/cortex.ts', 'cli/commands.ts', 'cli/program.ts', 'commands/serve.ts']);
  expect(Object.fromEntries(loaded)).toEqual({
    'bin/cortex.ts': [],
    'cli/commands.ts': [],
    'cli/program.ts': ['commander'],
    'commands/serve.ts': ['jose', 'minisearch'],
  });
}, 60_000);
