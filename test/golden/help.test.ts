import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { release } from '#cli/release.ts';
import { run, transcript } from '../cli/run.ts';

const runs: readonly (readonly [golden: string, line: string])[] = [
  ['check', 'check --help'],
  ['version', 'version'],
  ['version-json', 'version --json'],
  ['unknown-command', 'chekc'],
  ['unknown-command-json', 'chekc --json'],
  ['unknown-option', 'check --jsn'],
  ['missing-value', 'check --config'],
  ['too-many-arguments', 'check a'],
];

describe('the command', () => {
  test.each(runs)('%s: what it prints', async (golden, line) => {
    const text = transcript(line, await run(line), '/nowhere').replaceAll(release.version, '<version>');
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, 'help', `${golden}.txt`));
  });
});
