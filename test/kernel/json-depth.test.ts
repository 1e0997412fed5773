import { describe, expect, test } from 'vitest';
import { parseJson } from '#kernel/json.ts';
import { nestsDeeperThan } from '#kernel/json-depth.ts';
import { limits } from '#kernel/limits.ts';

const arrays = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const objects = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

describe('how deep a JSON text nests', () => {
  test.each([arrays, objects])('is told exactly', (nested) => {
    expect(nestsDeeperThan(nested(10), 10)).toBe(false);
    expect(nestsDeeperThan(nested(11), 10)).toBe(true);
  });

  test('counts what is open at a time, not what was opened', () => {
    expect(nestsDeeperThan(`[${'[{}],'.repeat(1_000)}1]`, 3)).toBe(false);
    expect(nestsDeeperThan(`[${'[{}],'.repeat(1_000)}1]`, 2)).toBe(true);
  });

  test.each([
    ['brackets', '[[[[[[[[[['],
    ['an escaped quote', '\\"[[[[[[[[[['],
    ['escaped backslashes', '\\\\'],
    ['an escaped backslash and an escaped quote', '\\\\\\"[[[[[[[[[['],
  ])('looks into no string: %s', (_, inner) => {
    expect(nestsDeeperThan(`["${inner}","",${arrays(3)}]`, 4)).toBe(false);
    expect(nestsDeeperThan(`["${inner}","",${arrays(4)}]`, 4)).toBe(true);
  });

  test('ends with a string that does not', () => {
    expect(nestsDeeperThan(`["${'['.repeat(100)}`, 2)).toBe(false);
  });
});

describe('parsing', () => {
  test('takes what is as deep as allowed', () => {
    expect(parseJson(arrays(limits.maxJsonDepth)).ok).toBe(true);
    expect(parseJson(arrays(limits.maxJsonDepth + 1))).toEqual({ ok: false, error: 'not_json' });
  });
});
