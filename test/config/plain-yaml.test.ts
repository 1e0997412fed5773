import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPlainYaml } from '#config/plain-yaml.ts';

const root = join(import.meta.dirname, '../..');
const files = [
  join(root, 'docs/cortex.example.yaml'),
  ...readdirSync(join(root, 'test/golden/folders'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(root, 'test/golden/folders', name)),
];

describe('the config files that people write', () => {
  test.each(files)('are read without the whole parser: %s', (path) => {
    expect(readPlainYaml(readFileSync(path, 'utf8'))).toBeDefined();
  });
});

describe('the whole parser is left', () => {
  test.each([
    ['anchors and aliases', 'a: &a x\nb: *a'],
    ['tags', 'a: !!str 1'],
    ['block scalars', 'a: |\n  text'],
    ['texts of several lines', 'a: one\n  two'],
    ['flow lists of several lines', 'a: [b,\n  c]'],
    ['escapes', 'a: "\\n"'],
    ['documents', '---\na: b'],
    ['tabs', 'a:\tb'],
    ['the ends of lines of other systems', 'a: b\r\n'],
    ['merges', '<<: b'],
    ['keys of other kinds', '? a\n: b'],
    ['lines as long as a key may not be', `a: ${'x'.repeat(1_000)}`],
    ['nesting beyond reason', `${'a: {'.repeat(1)}${'b: {'.repeat(30)}${'}'.repeat(31)}`],
    ['a value twice', 'a: b: c'],
    ['a bracket too few', 'a: [b'],
    ['an indent that leads nowhere', 'a:\n    b: c\n  d: e'],
  ])('%s', (_name, text) => {
    expect(readPlainYaml(text)).toBeUndefined();
  });
});
