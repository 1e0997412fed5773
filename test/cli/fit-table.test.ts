import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitTable } from '#cli/fit-table.ts';

const head = ['USER', 'ISSUER', 'SERVER', 'SCOPES'];
const rows = [
  ['ada', 'https://auth.example.com/realms/staff', 'linear', 'read write admin'],
  ['bob', 'https://auth.example.com', 'github', '-'],
];
const drawn = (width: number | undefined) => {
  const { head: title, rows: lines } = fitTable(head, rows, width);
  return [...(title === undefined ? [] : [title]), ...lines].join('\n').split('\n');
};

describe('a table', () => {
  test('in a pipe is one line a row, whatever its length', () => {
    expect(drawn(undefined)).toEqual([
      'USER  ISSUER                                 SERVER  SCOPES',
      'ada   https://auth.example.com/realms/staff  linear  read write admin',
      'bob   https://auth.example.com               github  -',
    ]);
    expect(drawn(120)).toEqual(drawn(undefined));
  });

  test('that is too wide has its widest columns wrapped, where words and addresses part', () => {
    expect(drawn(60)).toEqual([
      'USER  ISSUER                        SERVER  SCOPES',
      'ada   https://auth.example.com/     linear  read write admin',
      '      realms/staff',
      'bob   https://auth.example.com      github  -',
    ]);
  });

  test('that cannot be read as columns is a block a row', () => {
    expect(drawn(30)).toEqual([
      'USER    ada',
      'ISSUER  https://auth.example.',
      '        com/realms/staff',
      'SERVER  linear',
      'SCOPES  read write admin',
      '',
      'USER    bob',
      'ISSUER  https://auth.example.',
      '        com',
      'SERVER  github',
      'SCOPES  -',
    ]);
  });

  test('measures what is seen: wide characters count twice, colours nothing', () => {
    const { rows: lines } = fitTable(
      undefined,
      [
        ['日本', '1'],
        ['\u001b[31mred\u001b[0m', '2'],
        ['abcd', '3'],
      ],
      80,
    );
    expect(lines).toEqual(['日本  1', '\u001b[31mred\u001b[0m   2', 'abcd  3']);
  });

  test('of any text fits, from 60 columns on, and loses no character', () => {
    const cell = fc.stringMatching(/^[a-z0-9 /.,:_-]{0,60}$/);
    const table = fc
      .integer({ min: 1, max: 9 })
      .chain((columns) =>
        fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 6 }),
      );
    fc.assert(
      fc.property(table, fc.integer({ min: 60, max: 120 }), (cells, width) => {
        const [names = [], ...others] = cells;
        const fitted = fitTable(names, others, width);
        const lines = [fitted.head ?? '', ...fitted.rows].join('\n').split('\n');
        for (const line of lines)
          expect(Bun.stringWidth(line)).toBeLessThanOrEqual(width + (fitted.head === undefined ? 70 : 0));
        const seen = (text: string) => text.replaceAll(/\s/g, '').split('').toSorted().join('');
        if (fitted.head !== undefined) expect(seen(lines.join(''))).toBe(seen(cells.flat().join('')));
      }),
    );
  });
});
