import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTempFolder } from '../support/temp-folder.ts';

test('a run ends with each failure’s file, title and message, and a last line that counts', async () => {
  await using folder = await createTempFolder();
  const report = join(folder.path, 'report');
  const child = Bun.spawn(['bun', '--bun', join(import.meta.dirname, 'failing-run-child.ts')], {
    env: { ...process.env, TEST_REPORT: report },
    stdout: 'pipe',
    stderr: 'ignore',
  });
  const printed = (await new Response(child.stdout).text()).replaceAll(/at .*\/test\/reporter\//g, 'at ');
  const blocks = printed.trimEnd().split(/\n(?=FAILED|\d)/);

  expect(blocks.at(-1)).toBe('2 passed, 4 failed');
  expect(blocks.slice(0, -1).toSorted()).toEqual([
    'FAILED failing-tests-child.ts > a group\n    cannot begin\n    at failing-tests-child.ts:10',
    expect.stringMatching(
      /^FAILED failing-tests-child.ts > finds another value\n {4}expected \{ port: 1 \}.*- {3}"port": 2,/s,
    ),
    expect.stringMatching(/^FAILED outside of any test\n {4}too late/),
    'FAILED unloadable-tests-child.ts\n    this file cannot be loaded\n    at unloadable-tests-child.ts:1',
  ]);
  expect(await readFile(report, 'utf8')).toMatch(/^2 4\nFAILED /);
});
