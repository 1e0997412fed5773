import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '#cli/commands.ts';
import { createTempFolder, type TempFolder } from '../support/temp-folder.ts';
import { run } from './run.ts';

/** How each shell is asked what it would offer after a line; one word a line of its output. */
const askers = {
  bash: (script: string, line: string) => {
    const words = line.split(' ');
    return `source ${script}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_cortex; printf '%s\\n' "\${COMPREPLY[@]}"`;
  },
  zsh: (script: string, line: string) => `autoload -Uz compinit; compinit -u -d "$PWD/dump"
compdef() { :; }
_describe() { local -a given; given=("\${(@P)4}"); print -l -- "\${(@)\${(@)given//\\\\:/;}%%:*}" }
compadd() { shift; print -l -- "$@" }
_files() { print -l FILES }
source ${script}
words=(${line
    .split(' ')
    .map((word) => `'${word}'`)
    .join(' ')}); CURRENT=\${#words}
_cortex`,
  fish: (script: string, line: string) => `source ${script}
complete -C '${line}' | string replace -r '\\t.*' ''`,
} as const;

async function offered(
  folder: TempFolder,
  shell: keyof typeof askers,
  line: string,
): Promise<readonly string[]> {
  const script = join(folder.path, `cortex.${shell}`);
  const printed = await run(`completion ${shell}`);
  expect(printed.exitCode).toBe(0);
  await writeFile(script, printed.stdout);
  const asker = join(folder.path, `ask.${shell}`);
  await writeFile(asker, askers[shell](script, line));
  const child = Bun.spawn([shell, asker], {
    cwd: folder.path,
    env: { PATH: process.env.PATH ?? '', HOME: folder.path, TERM: 'dumb' },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [text, complaints] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(complaints).toBe('');
  return text.split('\n').filter((word) => word !== '');
}

describe.each(['bash', 'zsh', 'fish'] as const)('completion in %s', (shell) => {
  const isThere = Bun.which(shell) !== null;
  if (!isThere) console.log(`skipped: ${shell} is not installed`);

  test.skipIf(!isThere)('offers commands, groups, their options and choices', async () => {
    await using folder = await createTempFolder();
    const first = new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''));
    expect(await offered(folder, shell, 'cortex ')).toEqual(expect.arrayContaining([...first]));
    const audit = await offered(folder, shell, 'cortex audit ');
    expect(audit).toEqual(expect.arrayContaining(['tail', 'verify', 'reveal']));
    expect(audit).not.toContain('serve');
    expect(await offered(folder, shell, 'cortex audit reveal --')).toEqual(
      expect.arrayContaining(['--reason', '--config', '--json']),
    );
    const templates = await offered(folder, shell, 'cortex backend init crm --template ');
    expect(templates).toEqual(expect.arrayContaining(['bun', 'node', 'python', 'go']));
    expect(templates).not.toContain('--json');
  });

  test.skipIf(!isThere)('offers files where an option takes one', async () => {
    await using folder = await createTempFolder();
    await writeFile(join(folder.path, 'my.yaml'), '');
    const files = await offered(folder, shell, 'cortex serve --config ');
    expect(files).toContain(shell === 'zsh' ? 'FILES' : 'my.yaml');
  });
});

test('a shell that is not known is answered with those that are', async () => {
  const refused = await run('completion tcsh');
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('bash|zsh|fish') });
});

test('config schema prints the schema that the documents hold', async () => {
  const printed = await run('config schema');
  const kept = await Bun.file(join(import.meta.dirname, '..', '..', 'docs', 'cortex.schema.json')).json();
  expect(JSON.parse(printed.stdout)).toEqual(kept);
});
