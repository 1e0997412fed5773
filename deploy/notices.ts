import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleOptions } from './build.ts';

/** The licences of the packages that the command is built from, as they ask to be kept with copies. */
export async function notices(): Promise<string> {
  const root = join(import.meta.dirname, '..');
  const built = await Bun.build({ ...bundleOptions, metafile: true });
  const inputs = Object.keys(built.metafile?.inputs ?? {});
  const folders = new Set<string>();
  for (const input of inputs) {
    const [folder] = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [];
    if (folder !== undefined) folders.add(join(root, folder.slice(folder.indexOf('node_modules'))));
  }
  const parts: string[] = [];
  for (const folder of [...folders].sort()) {
    const about: { readonly name: string; readonly version: string; readonly license?: string } = JSON.parse(
      await readFile(join(folder, 'package.json'), 'utf8'),
    );
    const names = (await readdir(folder))
      .filter((name) => /^(?:licen[cs]e|notice|copying)/i.test(name))
      .sort();
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    parts.push(
      `${about.name} ${about.version} (${about.license ?? 'no licence named'})\n\n${texts.join('\n').trim()}\n`,
    );
  }
  return parts.join(`\n${'-'.repeat(78)}\n\n`);
}
