import { expect, test } from 'vitest';
import { isIncluded, matchesGlob } from '#kernel/glob.ts';
import { stopwatch } from '../support/stopwatch.ts';

test.each([
  ['create_*', 'create_issue', true],
  ['create_*', 'recreate_issue', false],
  ['*_issue', 'create_issue', true],
  ['*a*b*', 'xxaxxbxx', true],
  ['*a*b', 'xxaxxbxx', false],
  ['list_?', 'list_x', true],
  ['list_?', 'list_', false],
  ['', '', true],
  ['*', '', true],
  ['a.b', 'axb', false],
])('the glob %j and the name %j: %j', (glob, name, expected) => {
  expect(matchesGlob(glob, name)).toBe(expected);
});

test('a hostile glob does not take exponential time', () => {
  const elapsedMs = stopwatch();
  expect(matchesGlob(`${'*a'.repeat(30)}b`, 'a'.repeat(5_000))).toBe(false);
  expect(elapsedMs()).toBeLessThan(1_000);
});

test('exclude wins over include, and no include means everything', () => {
  expect(isIncluded('x', [], [])).toBe(true);
  expect(isIncluded('list', ['list'], ['l*'])).toBe(false);
  expect(isIncluded('drop', ['list'], [])).toBe(false);
});
