import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '#cli/commands.ts';
import { manualPage } from '../../docs/manual-page.ts';

/** Bold is a letter, a backspace and the letter again. */
const plain = (text: string) =>
  text
    .split('\u0008')
    .map((part, at, all) => (at < all.length - 1 ? part.slice(0, -1) : part))
    .join('');
const file = join(import.meta.dirname, '..', '..', 'docs', 'cortex.1');

test('the manual page is one that mandoc has nothing to say about', async () => {
  if (Bun.which('mandoc') === null) return console.log('skipped: mandoc is not installed');
  const linted = Bun.spawn(['mandoc', '-Tlint', '-Wwarning', file], { stdout: 'pipe', stderr: 'pipe' });
  const said = await Promise.all([
    new Response(linted.stdout).text(),
    new Response(linted.stderr).text(),
    linted.exited,
  ]);
  expect(said).toEqual(['', '', 0]);
});

test('the manual page shows dashes, quotes and patterns as they are to be typed', async () => {
  if (Bun.which('mandoc') === null) return console.log('skipped: mandoc is not installed');
  const shown = Bun.spawn(['mandoc', '-Tutf8', '-Owidth=200', file], { stdout: 'pipe', stderr: 'ignore' });
  const text = plain(await new Response(shown.stdout).text());
  for (const { name, options, examples } of commands) {
    expect(text).toContain(`cortex ${name}`);
    for (const option of options) expect(text).toContain(`--${option.name}`);
    for (const { line } of examples) expect(text.replaceAll(/\s+/g, ' ')).toContain(line);
  }
});

test('the manual page holds nothing but ASCII, which every encoding shows', () => {
  expect([...manualPage()].filter((character) => character > '~')).toEqual([]);
});

test('every command has an example', () => {
  expect(commands.filter(({ examples }) => examples.length === 0).map(({ name }) => name)).toEqual([]);
});
