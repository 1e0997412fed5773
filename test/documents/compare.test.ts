import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './command-blocks.ts';

const folder = join(root, 'docs', 'compare');
const read = (name: string) => readFileSync(join(folder, name), 'utf8');
const pages = readdirSync(folder).filter((name) => name !== 'README.md');

describe('comparisons', () => {
  test('are all listed, with their date', () => {
    const index = read('README.md');
    expect(index).toMatch(/^As of 20\d\d-\d\d,/m);
    expect(pages.filter((page) => !index.includes(`](${page})`))).toEqual([]);
    expect(pages.length).toBeGreaterThanOrEqual(10);
  });

  test.each(pages)('%s says when it was written, when to take the other, and names its sources', (page) => {
    const text = read(page);
    expect(text).toMatch(/^As of 20\d\d-\d\d, /m);
    const [, theirs = ''] = /^## Take (?!Cortex).* when\n\n((?:- .*\n)+)/m.exec(text) ?? [];
    expect(theirs.trim().split('\n').length).toBeGreaterThanOrEqual(2);
    const sources = new Set([...text.matchAll(/\]\((https:[^)]+)\)/g)].map(([, url = '']) => url));
    expect(sources.size).toBeGreaterThanOrEqual(3);
  });
});
