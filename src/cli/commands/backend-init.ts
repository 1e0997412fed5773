import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isBackendId } from '#kernel/ids.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { renamed, startCommands, templateFiles, templateNames, testCommands } from '../templates.ts';

const port = 4820;

/** Copies a template into a new or empty folder, and says how to go on; nothing is overwritten. */
export async function backendInit({ args, options, terminal, output }: Invocation): Promise<number> {
  const directory = resolve(terminal.cwd, args[0] ?? '');
  const template = templateNames.find((name) => name === (options.text('template') ?? 'bun'));
  if (template === undefined)
    throw new UserError('there is no such template', { next: `one of: ${templateNames.join(', ')}` });
  const id = options.text('id') ?? idOf(basename(directory));
  if (!isBackendId(id)) {
    throw new UserError(`${JSON.stringify(id)} is no id for a backend`, {
      next: 'name it with --id: a to z, 0 to 9, - and _, at most 24 of them, a letter first',
    });
  }
  const present = await entriesOf(directory);
  if (present.length > 0) {
    throw new UserError(`${directory} is not empty (${present[0]}): nothing was written`, {
      next: 'name another folder',
    });
  }

  const files = templateFiles(template);
  for (const [path, text] of files) {
    const target = join(directory, path);
    await mkdir(dirname(target), { recursive: true });
    // `wx`: whatever came to lie here in the meantime is not ours to replace.
    await writeFile(target, renamed(text, id), { flag: 'wx' });
  }

  // biome-ignore lint/suspicious/noTemplateCurlyInString: the configuration reads it from the environment.
  const secret = '"${CORTEX_TECHNICAL_TOKEN}"';
  const config = [`  ${id}:`, `    url: http://127.0.0.1:${port}`, `    technical_token: ${secret}`];
  const start = `cd ${quoted(directory)} && ${startCommands[template]}`;
  if (output.isJson) {
    output.document({ id, template, directory, files: [...files.keys()], config, start });
    return exitCodes.done;
  }
  output.note(`${template} backend "${id}" in ${directory}: ${[...files.keys()].join(', ')}`);
  output.note('');
  output.note('Both sides share a secret: export CORTEX_TECHNICAL_TOKEN=$(openssl rand -hex 32)');
  output.note('Under `backends:` in cortex.yaml:');
  for (const line of config) output.line(line);
  output.note('');
  output.note(`Then: cortex backend check http://127.0.0.1:${port}`);
  output.note(`Its own test: cd ${quoted(directory)} && ${testCommands[template]}`);
  output.line(`start: ${start}`);
  if (template === 'bun')
    output.note('Without bun: `npx -y bun` stands for it, and --template node needs neither.');
  return exitCodes.done;
}

async function entriesOf(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return [];
    throw new UserError(`${directory} cannot be used (${String(code)})`, { next: 'name another folder' });
  }
}

/** What a folder's name says, in the letters of an id. */
function idOf(name: string): string {
  const id = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '');
  return id.slice(0, 24);
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
