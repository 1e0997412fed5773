import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
const attacks = page.slice(page.indexOf('### Attacks'), page.indexOf('## Not covered'));
const rows = attacks.split('\n').filter((line) => /^\| (?!attack|---)/.test(line));

/** The tests that a row cites, by file and title as it stands in the source. */
function citesOf(row: string): readonly (readonly [file: string, title: string])[] {
  return [...row.matchAll(/“([^”]+)” \(\[[^\]]+\]\(\.\.\/(test\/[^)]+)\)\)/g)].map(
    ([, title = '', file = '']) => [file, title],
  );
}

describe('the threat model', () => {
  test('names attacks, each with a control and a test that shows it', () => {
    expect(rows.length).toBeGreaterThan(25);
    for (const row of rows) {
      const [, attack = '', control = ''] = row.split(' | ');
      expect([attack, control].join('').length, row).toBeGreaterThan(20);
      expect(citesOf(row).length, row).toBeGreaterThan(0);
    }
  });

  test.each(rows.flatMap(citesOf))('%s has the test “%s”', (file, title) => {
    expect(existsSync(join(root, file))).toBe(true);
    const titles = [...readFileSync(join(root, file), 'utf8').matchAll(/'((?:[^'\\\n]|\\.)+)'/g)].map(
      ([, text]) => text,
    );
    expect(titles).toContain(title);
  });
});
