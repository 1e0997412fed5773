import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTempFolder } from '../support/temp-folder.ts';

const script = `
import { processTerminal } from '#cli/terminal.ts';
const { readLine } = processTerminal();
const stop = new AbortController();
if (process.argv[1] === 'abort') setTimeout(() => stop.abort(), 50);
console.log(JSON.stringify((await readLine(stop.signal)) ?? null));
`;

async function read(input: string | undefined, ...args: readonly string[]) {
  const child = Bun.spawn(['bun', '-e', script, ...args], { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' });
  if (input !== undefined) {
    child.stdin.write(input);
    await child.stdin.end();
  }
  const said = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return said.trim();
}

test('a line that the person types is read, and nothing keeps the command alive after it', async () => {
  expect(await read('http://127.0.0.1/callback?code=x\nmore\n')).toBe('"http://127.0.0.1/callback?code=x"');
});

test('without a line there is none: the input ends, or nobody waits for it any more', async () => {
  expect(await read('')).toBe('null');
  expect(await read(undefined, 'abort')).toBe('null');
});

test('a line is read from a file as well', async () => {
  await using folder = await createTempFolder();
  const file = join(folder.path, 'token.txt');
  await Bun.write(file, 'a-token\n');
  const child = Bun.spawn(['bun', '-e', script], {
    stdin: Bun.file(file),
    stdout: 'pipe',
    stderr: 'inherit',
  });
  expect((await new Response(child.stdout).text()).trim()).toBe('"a-token"');
  expect(await child.exited).toBe(0);
});
