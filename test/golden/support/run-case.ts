import { cp, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type Run, run } from '../../cli/run.ts';
import { cortexCommand } from '../../support/binary.ts';
import { createTempFolder } from '../../support/temp-folder.ts';
import { type GoldenCase, words } from './case-file.ts';
import { filledIn, masked } from './mask.ts';
import { worlds } from './worlds.ts';

/** Runs a case in its world; `text` is its file as it should be. */
export async function runCase(golden: GoldenCase): Promise<Run & { readonly text: string }> {
  const makeWorld = worlds[golden.world];
  if (makeWorld === undefined) throw new Error(`${golden.name}: there is no world "${golden.world}"`);
  await using folder = await createTempFolder();
  const root = await realpath(folder.path);
  const [cwd, home] = [join(root, 'here'), join(root, 'home')];
  for (const path of [cwd, home]) await mkdir(path, { mode: 0o700 });
  if (golden.folder !== undefined) {
    await cp(join(import.meta.dirname, '..', 'folders', golden.folder), cwd, { recursive: true });
  }
  await using world = await makeWorld(cwd);
  const names = { ...world.names, cwd, home };
  const environment = { HOME: home, ...world.environment, ...golden.environment };
  const command = (line: string) => perform(golden, words(filledIn(line, names)), cwd, environment);

  for (const line of golden.first) {
    const { exitCode, stdout, stderr } = await command(line);
    if (exitCode !== 0) throw new Error(`first: ${line}: exit ${exitCode}\n${stdout}${stderr}`);
  }
  const result = await command(golden.line);
  const said = masked(
    `exit ${result.exitCode}\n--- stdout\n${result.stdout.trimEnd()}\n--- stderr\n${result.stderr.trimEnd()}\n`,
    names,
    golden.masks,
  );
  return { ...result, text: `${golden.head}${golden.isLoose ? said.replaceAll(/ {2,}/g, '  ') : said}` };
}

async function perform(
  golden: GoldenCase,
  argv: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>>,
): Promise<Run> {
  // A terminal is what only the command in this process can be given.
  const isOutside = golden.until !== undefined || (process.env.CORTEX_BIN ?? '') !== '';
  const needsTerminal = golden.isTerminal || golden.columns !== undefined;
  if (!isOutside || needsTerminal) {
    return run(argv, {
      cwd,
      environment,
      isInteractive: golden.isTerminal,
      ...(golden.columns !== undefined && { columns: golden.columns }),
      ...(golden.stdin && { stdin: golden.stdin }),
    });
  }
  const child = Bun.spawn([...cortexCommand(), ...argv], {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdin: new Blob((golden.stdin ?? []).map((line) => `${line}\n`)),
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const said = { stdout: '', stderr: '' };
  let isStopped = false;
  const read = async (name: 'stdout' | 'stderr') => {
    const decoder = new TextDecoder();
    for await (const chunk of child[name]) {
      said[name] += decoder.decode(chunk, { stream: true });
      if (golden.until === undefined || isStopped || !said[name].includes(golden.until)) continue;
      isStopped = true;
      child.kill('SIGTERM');
    }
  };
  await Promise.all([read('stdout'), read('stderr')]);
  return { exitCode: await child.exited, ...said };
}
