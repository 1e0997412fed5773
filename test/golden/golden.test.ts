import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '#cli/commands.ts';
import { type GoldenCase, parseCase, words } from './support/case-file.ts';
import { runCase } from './support/run-case.ts';

const folder = join(import.meta.dirname, 'cases');
const cases = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.txt'))
  .toSorted()
  .map((path) => parseCase(path.slice(0, -'.txt'.length), readFileSync(join(folder, path), 'utf8')));

/** What a kind of case would show of nothing, and why. */
const without: Readonly<Record<string, string>> = {
  'vault link: a good one': 'a person signs in, in a browser: test/cli/vault-link.test.ts',
  'vault link: a good one in JSON': 'a person signs in, in a browser: test/cli/vault-link.test.ts',
  'completion: a good one': 'follows every option there is: test/cli/completion.test.ts',
  'completion: a good one in JSON': 'is a script for a shell in any case',
  'config schema: a good one': 'is docs/cortex.schema.json: test/config/generated.test.ts',
  'config schema: a good one in JSON': 'is JSON in any case',
  'stdio: a good one': 'speaks the protocol, with an agent: test/cli/stdio.test.ts',
  'stdio: a good one in JSON': 'speaks the protocol, with an agent: test/cli/stdio.test.ts',
};

/** The command that a case runs, unless it asks for the help alone. */
function commandOf({ line }: GoldenCase): string | undefined {
  const given = words(line);
  if (given.includes('--help')) return undefined;
  const fitting = commands.filter(({ name }) => name.split(' ').every((word, at) => given[at] === word));
  return fitting.toSorted((one, other) => other.name.length - one.name.length).at(0)?.name;
}

describe('cortex', () => {
  test.each(cases)('$name: $title', { timeout: 60_000 }, async (golden) => {
    const { text, stdout, stderr, exitCode } = await runCase(golden);
    await expect(text).toMatchFileSnapshot(join(folder, `${golden.name}.txt`));
    expect(stdout + stderr, 'a secret of the test is printed').not.toMatch(/s3cret/);
    const { columns } = golden;
    if (columns !== undefined && golden.isTerminal) {
      // A single word, such as an address, is not broken.
      const tooWide = stdout
        .split('\n')
        .filter((line) => Bun.stringWidth(line) > columns && line.trim().includes(' '));
      expect(tooWide, `wider than ${columns} columns`).toEqual([]);
    }
    const isPlain =
      !golden.isTerminal || golden.environment.NO_COLOR !== undefined || golden.line.includes('--no-color');
    if (isPlain) expect(stdout + stderr, 'colours in a pipe').not.toContain('\u001b');
    if (isJson(golden)) expect(isJsonText(stdout), 'stdout is a JSON document, or JSON lines').toBe(true);
    const isTalking = !isJson(golden) && !words(golden.line).includes('--quiet');
    if (exitCode === 2 && isTalking) expect(stderr, 'says what to do next').toMatch(/(?:next|then): /);
  });
});

describe.each(commands.map(({ name }) => name))('the golden cases of cortex %s', (name) => {
  const own = cases.filter((golden) => commandOf(golden) === name);
  test.each([
    ['a good one', (golden: GoldenCase) => golden.exitCode === 0 && !isJson(golden)],
    ['a good one in JSON', (golden: GoldenCase) => golden.exitCode === 0 && isJson(golden)],
    ['a bad one', (golden: GoldenCase) => golden.exitCode !== 0 && !isJson(golden)],
    ['a bad one in JSON', (golden: GoldenCase) => golden.exitCode !== 0 && isJson(golden)],
  ])('hold %s', (what, isOne) => {
    const isThere = own.some(isOne);
    const reason = without[`${name}: ${what}`];
    if (reason === undefined) expect(isThere, `see test/golden/README.md`).toBe(true);
    else expect(isThere, `there is one, so it needs no excuse: ${reason}`).toBe(false);
  });
});

function isJson({ line }: GoldenCase): boolean {
  return words(line).includes('--json');
}

function isJsonText(text: string): boolean {
  const parses = (part: string) => {
    try {
      JSON.parse(part);
      return true;
    } catch {
      return false;
    }
  };
  return parses(text) || text.trimEnd().split('\n').every(parses);
}
