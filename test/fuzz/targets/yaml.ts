import fc from 'fast-check';
import { expect } from 'vitest';
import { readFullYaml } from '#config/full-yaml.ts';
import { readPlainYaml } from '#config/plain-yaml.ts';
import type { YamlNode } from '#config/yaml-node.ts';
import { type Target, textOf } from './target.ts';

const key = fc.constantFrom(
  'a',
  'b',
  'a.b',
  '"c d"',
  "''",
  'x_*',
  '1',
  'null',
  '~',
  '<<',
  '? a',
  '*a',
  'a b',
  '- a',
);
const scalar = fc.constantFrom(
  ...[
    'x',
    '0123',
    '1.10',
    'true',
    '~',
    'null',
    'Null',
    'nULL',
    '""',
    "''",
    '"a, b"',
    "'it''s'",
    '"\\n"',
    "'#'",
  ],
  ...[
    'http://a:1/b#c',
    'a:b',
    'a: b',
    'a:',
    ':a',
    'a #b',
    'a# b',
    '#b',
    '$' + '{A}',
    '~/x',
    './x',
    '/x y',
    '"a" b',
  ],
  ...[
    '*.x',
    '*a',
    '&a x',
    '!t x',
    '|',
    '>-',
    '@x',
    '%x',
    '-',
    '-1',
    '--a',
    '---',
    '--',
    '- x',
    '--- x',
    '...',
    '?',
    '? x',
    '<<',
    ',',
  ],
  ...[
    'a,b',
    'a]b',
    'a}b',
    '[',
    '{',
    "a 'b'",
    'a "b"',
    '\u00a0a\u00a0',
    'é',
    '\u2028',
    '\t',
    'a\tb',
    '=',
    '`a`',
    'a\\b',
  ],
);
const flow: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc
      .tuple(fc.array(tie('value'), { maxLength: 3 }), fc.constantFrom(', ', ',', ' , ', ',\n  '))
      .map(([items, comma]) => `[${items.join(comma)}]`),
    fc
      .tuple(
        fc.array(fc.tuple(key, fc.constantFrom(': ', ':', ' : ', ':  '), tie('value')), { maxLength: 3 }),
        fc.constantFrom('', ' '),
      )
      .map(([pairs, pad]) => `{${pad}${pairs.map((pair) => pair.join('')).join(', ')}${pad}}`),
  ),
})).value;
const end = fc.constantFrom('', '', '', ' ', ' # c', '# c', '  #', '\t', '\r');
const line = fc
  .tuple(
    fc.constantFrom('', '', '  ', '  ', '    ', ' ', '   ', '\t'),
    fc.oneof(
      fc
        .tuple(key, fc.constantFrom(': ', ':', ': ', ' : '), fc.oneof(fc.constant(''), scalar, flow))
        .map((of) => of.join('')),
      fc.tuple(fc.constantFrom('- ', '-', '-   ', '- - '), fc.oneof(scalar, flow)).map((of) => of.join('')),
      fc.tuple(key, scalar).map(([name, given]) => `- ${name}: ${given}`),
      fc.constantFrom('', '# a comment', '---', '...', 'text'),
      scalar,
    ),
    end,
  )
  .map((of) => of.join(''));

/** Files as people write them, with something of the above here and there. */
const tidyScalar = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(
      'x',
      'http://a:1/b',
      '0123',
      '"q # r"',
      "'s'",
      '10s',
      '$' + '{A}',
      '[a, "b"]',
      '{ a: 1, b: [c] }',
    ),
  },
  { weight: 1, arbitrary: scalar },
);
const tidyKey = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('a', 'b', 'c_d', '"e f"') },
  { weight: 1, arbitrary: key },
);
const tidyEnd = fc.oneof({ weight: 5, arbitrary: fc.constant('') }, { weight: 1, arbitrary: end });
const tidy: fc.Arbitrary<string> = fc
  .array(fc.tuple(fc.nat(5), tidyKey, tidyScalar, tidyEnd, fc.constantFrom(2, 2, 2, 4, 1)), {
    minLength: 1,
    maxLength: 12,
  })
  .map((steps) => {
    const lines: string[] = [];
    let indent = 0;
    for (const [kind, name, given, after, deeper] of steps) {
      const pad = ' '.repeat(indent);
      if (kind === 0) {
        lines.push(`${pad}${name}:${after}`);
        indent += deeper;
      } else if (kind === 1) {
        lines.push(`${pad}${name}:`, `${pad}- ${given}${after}`);
      } else if (kind === 2) {
        lines.push(`${pad}- ${name}: ${given}${after}`);
        indent += 2;
      } else {
        if (kind === 3) indent = Math.max(0, indent - 2);
        lines.push(`${' '.repeat(indent)}${name}: ${given}${after}`);
      }
    }
    return lines.join('\n');
  });

/** What the two may be asked for: where values begin counts for keys and for items. */
function toldBy(node: YamlNode, line: number | undefined): unknown {
  const { scalar: text } = node;
  if (node.pairs !== undefined)
    return {
      pairs: node.pairs().map((pair) => [toldBy(pair.key, pair.key.line), toldBy(pair.value, undefined)]),
      line,
    };
  if (node.items !== undefined) return { items: node.items().map((item) => toldBy(item, item.line)), line };
  return { text, line };
}

export const plainYaml: Target = {
  name: 'plain-yaml',
  promise: 'reads alike without the whole parser and with it, or leaves it to the whole parser',
  runs: 4_000,
  inputs: fc.oneof(
    tidy,
    tidy,
    fc.array(line, { maxLength: 7 }).map((lines) => lines.join('\n')),
  ),
  holds(input) {
    const text = textOf(input);
    const plain = readPlainYaml(text);
    if (plain === undefined) return;
    const full = readFullYaml(text);
    expect(full.faults).toEqual([]);
    expect(toldBy(plain, undefined)).toEqual(toldBy(full.root, undefined));
  },
};
