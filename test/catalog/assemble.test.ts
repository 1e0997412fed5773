import { describe, expect, test } from 'vitest';
import { governingTemplate } from '#catalog/governing-template.ts';
import { isSameSnapshot } from '#catalog/same-snapshot.ts';
import { stopwatch } from '../support/stopwatch.ts';
import { catalogOf, prompt, resource, snapshotOf, source, template, tool } from './samples.ts';

describe('the assembly of a snapshot', () => {
  test('lists tools, prompts, resources and templates in code-unit order, whatever the order of backends (R16)', () => {
    const sources = [
      source('b', {
        tools: [tool('z'), tool('A')],
        prompts: [prompt('q'), prompt('p')],
        resources: [resource('b://2'), resource('b://1')],
        resourceTemplates: [template('b://t/{y}'), template('b://t/{x}')],
      }),
      source('a', { tools: [tool('m')] }),
    ];
    for (const order of [sources, [...sources].reverse()]) {
      const { snapshot } = snapshotOf(order);
      expect([...snapshot.tools.keys()]).toEqual(['a_m', 'b_A', 'b_z']);
      expect([...snapshot.prompts.keys()]).toEqual(['b_p', 'b_q']);
      expect([...snapshot.resources.keys()]).toEqual(['b://1', 'b://2']);
      expect(snapshot.templates.map(({ uriTemplate }) => uriTemplate)).toEqual(['b://t/{x}', 'b://t/{y}']);
      expect([...snapshot.backends.keys()]).toEqual(['a', 'b']);
    }
  });

  test('passes definitions on as the same objects (R20)', () => {
    const own = tool('x');
    const { snapshot } = snapshotOf([source('a', { tools: [own] })]);
    expect(snapshot.tools.get('a_x')?.definition).toBe(own);
  });

  test.each([
    ['no_scope', source('a', { tools: [tool('x', { scopes: [] })] })],
    ['excluded', source('a', { tools: [tool('x')] }, { exclude: ['x'] })],
    ['excluded', source('a', { tools: [tool('x')] }, { include: ['y*'] })],
    ['name_too_long', source('a', { tools: [tool('x'.repeat(60))] })],
    ['name_illegal', source('a', { tools: [tool('...')] })],
    ['name_reserved', source('a', { tools: [tool('whoami')] }, { prefix: '' })],
    [
      'illegal_param_header',
      source('a', {
        tools: [tool('x', { inputSchema: { properties: { n: { type: 'number', 'x-mcp-header': 'N' } } } })],
      }),
    ],
  ])('withholds a tool with the reason %s, and gives it no name', (reason, from) => {
    const { snapshot, changedNames } = snapshotOf([from]);
    expect(snapshot.tools.size).toBe(0);
    expect(snapshot.withheld).toMatchObject([{ backend: 'a', kind: 'tool', reason }]);
    expect(changedNames).toEqual([]);
  });

  test('withholds a tool whose name another has, by backend and reason (R19)', () => {
    const { snapshot } = snapshotOf([
      source('a', { tools: [tool('x')] }, { prefix: '' }),
      source('b', { tools: [tool('x')] }, { prefix: '' }),
    ]);
    expect(snapshot.tools.get('x')?.backend).toBe('a');
    expect(snapshot.withheld).toEqual([{ backend: 'b', kind: 'tool', name: 'x', reason: 'name_collision' }]);
  });

  test('withholds prompts and resources that name no scope, and URIs without a scheme', () => {
    const { snapshot } = snapshotOf([
      source('a', {
        prompts: [prompt('p', [])],
        resources: [resource('a://1', []), resource('nothing')],
        resourceTemplates: [template('a://{x}', []), template('{+all}'), template('a://{')],
      }),
    ]);
    expect(snapshot.withheld.map(({ kind, reason }) => [kind, reason])).toEqual([
      ['prompt', 'no_scope'],
      ['resource', 'no_scope'],
      ['resource', 'invalid_definition'],
      ['template', 'no_scope'],
      ['template', 'invalid_definition'],
      ['template', 'invalid_definition'],
    ]);
  });

  test('finds the headers of a tool', () => {
    const inputSchema = { properties: { r: { type: 'string', 'x-mcp-header': 'R' } } };
    const { snapshot } = snapshotOf([source('a', { tools: [tool('x', { inputSchema })] })]);
    expect(snapshot.tools.get('a_x')?.paramHeaders).toEqual([{ header: 'R', path: ['r'], type: 'string' }]);
  });

  test('keeps showing a stale backend and hides a gone one (R22)', () => {
    const shown = (status: 'stale' | 'gone') =>
      snapshotOf([source('a', { tools: [tool('x')], resources: [resource('a://1')] }, { status })]).snapshot;
    expect(shown('stale').tools.size).toBe(1);
    expect(shown('gone').tools.size + shown('gone').resources.size).toBe(0);
    expect(shown('gone').backends.get(source('a', {}).state.id)?.status).toBe('gone');
  });

  test('takes unchanged items over as the same objects, and so sees that nothing changed', () => {
    const sources = [
      source('a', { tools: [tool('x')], prompts: [prompt('p')], resourceTemplates: [template('a://{x}')] }),
    ];
    const first = snapshotOf(sources);
    const second = snapshotOf(sources, { names: first.names, before: first.snapshot });
    expect(second.snapshot.tools.get('a_x')).toBe(first.snapshot.tools.get('a_x'));
    expect(second.names).toBe(first.names);
    expect(isSameSnapshot(first.snapshot, second.snapshot)).toBe(true);
    const stale = snapshotOf([source('a', sources[0]?.catalog, { status: 'stale' })], {
      names: first.names,
      before: first.snapshot,
    });
    expect(isSameSnapshot(first.snapshot, stale.snapshot)).toBe(false);
  });
});

describe('former names', () => {
  const before = snapshotOf([source('a', { tools: [tool('x'), tool('y')] })], { now: 0 });

  test('lead to the current name for a grace period after a prefix edit', () => {
    const moved = snapshotOf([source('a', { tools: [tool('x')] }, { prefix: 'n' })], {
      names: before.names,
      now: 10,
    });
    expect([...moved.snapshot.formerNames]).toEqual([['a_x', 'n_x']]);
    expect(moved.nextExpiryAt).toBe(1_010);
    const later = snapshotOf([source('a', { tools: [tool('x')] }, { prefix: 'n' })], {
      names: moved.names,
      now: 1_010,
    });
    expect(later.snapshot.formerNames.size).toBe(0);
  });

  test('lead nowhere once the tool is removed', () => {
    const moved = snapshotOf([source('a', { tools: [] }, { prefix: 'n' })], { names: before.names, now: 10 });
    expect(moved.snapshot.formerNames.size).toBe(0);
  });

  test('lead nowhere when the tool lost its scope', () => {
    const moved = snapshotOf([source('a', { tools: [tool('x')] }, { prefix: 'n' })], {
      names: before.names,
      now: 10,
    });
    const closed = snapshotOf([source('a', { tools: [tool('x', { scopes: [] })] }, { prefix: 'n' })], {
      names: moved.names,
      now: 20,
    });
    expect(closed.snapshot.formerNames.size).toBe(0);
  });
});

describe('URI schemes', () => {
  const docs = { resources: [resource('docs://1')] };

  test('belong to one backend: what another lists under it is withheld', () => {
    const { snapshot } = snapshotOf([source('b', docs), source('a', docs)]);
    expect(snapshot.resources.get('docs://1')?.backend).toBe('a');
    expect(snapshot.backends.get(source('a', {}).state.id)?.schemes).toEqual(['docs']);
    expect(snapshot.withheld).toEqual([
      { backend: 'b', kind: 'resource', name: 'docs://1', reason: 'scheme_taken' },
    ]);
  });

  test('stay with who had them, also while it is gone', () => {
    const owner = source('b', docs, { schemes: ['docs'], status: 'gone' });
    const { snapshot } = snapshotOf([source('a', docs), owner]);
    expect(snapshot.resources.size).toBe(0);
    expect(snapshot.withheld[0]).toMatchObject({ backend: 'a', reason: 'scheme_taken' });
  });

  test('are free again when who had them offers nothing under them any more', () => {
    const { snapshot } = snapshotOf([source('a', docs), source('b', {}, { schemes: ['docs'] })]);
    expect(snapshot.resources.get('docs://1')?.backend).toBe('a');
  });

  test('of the gateway itself are no backend’s, in any case of letters', () => {
    const { snapshot } = snapshotOf([
      source('a', { resources: [resource('CORTEX://architecture')] }, { schemes: ['cortex'] }),
    ]);
    expect(snapshot.withheld[0]?.reason).toBe('scheme_taken');
  });
});

describe('servers that share URI schemes', () => {
  const shares = { sharesSchemes: true } as const;
  const uris = (...all: readonly string[]) => ({ resources: all.map((uri) => resource(uri)) });
  const listed = (...sources: Parameters<typeof snapshotOf>[0]) => {
    const { snapshot } = snapshotOf(sources);
    return { uris: [...snapshot.resources.keys()], withheld: snapshot.withheld, snapshot };
  };

  test('list theirs beside one another, and own no scheme (R31)', () => {
    const { uris: shown, snapshot } = listed(
      source('b', uris('file://b//x', 'mail:b/1'), shares),
      source('a', { ...uris('file://a//x'), resourceTemplates: [template('file://a/{+path}')] }, shares),
    );
    expect(shown).toEqual(['file://a//x', 'file://b//x', 'mail:b/1']);
    expect(snapshot.templates.map(({ uriTemplate }) => uriTemplate)).toEqual(['file://a/{+path}']);
    expect([...snapshot.backends.values()].map(({ schemes }) => schemes)).toEqual([[], []]);
  });

  test('cannot list what is another server’s, or nobody’s', () => {
    const hostile = source(
      'a',
      {
        ...uris('file://b//x', 'file:///x', 'file://ab/x', 'cortex://a/x'),
        resourceTemplates: [template('file://{+rest}')],
      },
      shares,
    );
    const { uris: shown, withheld } = listed(hostile, source('b', uris('file://b//x'), shares));
    expect(shown).toEqual(['file://b//x']);
    expect(withheld.map(({ backend, reason }) => [backend, reason])).toEqual(
      Array.from({ length: 5 }, () => ['a', 'scheme_taken']),
    );
  });

  test('list what clients fetch by themselves as it is, the first of those who list the same', () => {
    const page = 'https://docs.example/a';
    const { uris: shown, withheld } = listed(
      source('a', uris(page), shares),
      source('b', uris(page), shares),
    );
    expect(shown).toEqual([page]);
    expect(withheld).toEqual([{ backend: 'b', kind: 'resource', name: page, reason: 'name_collision' }]);
  });

  test('leave a scheme to the application that has it, whichever came first', () => {
    const { uris: shown, withheld } = listed(
      source('a', uris('docs://a/1'), shares),
      source('z', uris('docs://1')),
    );
    expect(shown).toEqual(['docs://1']);
    expect(withheld).toEqual([
      { backend: 'a', kind: 'resource', name: 'docs://a/1', reason: 'scheme_taken' },
    ]);
  });
});

describe('the help of a backend', () => {
  const helpOf = (from: ReturnType<typeof source>) =>
    snapshotOf([from]).snapshot.backends.get(from.state.id)?.helpName;

  test('is offered under a public name of its own', () => {
    expect(helpOf(source('a', {}, { hasHelp: true }))).toBe('a_get_help');
  });

  test('is not offered by a backend that lists such a tool, that has none, or where it is excluded', () => {
    expect(helpOf(source('a', { tools: [tool('get_help')] }, { hasHelp: true }))).toBeUndefined();
    expect(helpOf(source('a', {}))).toBeUndefined();
    expect(helpOf(source('a', {}, { hasHelp: true, exclude: ['get_*'] }))).toBeUndefined();
  });

  test('is no tool of the snapshot', () => {
    expect(snapshotOf([source('a', {}, { hasHelp: true })]).snapshot.tools.size).toBe(0);
  });
});

test('of two templates that match a URI, the one that fixes more of it decides', () => {
  const { snapshot } = snapshotOf([
    source('a', {
      resourceTemplates: [template('docs://{+path}', ['read']), template('docs://secret/{id}', ['secret'])],
    }),
  ]);
  expect(governingTemplate(snapshot.templates, 'docs://secret/1')?.definition.scopes).toEqual(['secret']);
  expect(governingTemplate(snapshot.templates, 'docs://open/1')?.definition.scopes).toEqual(['read']);
  expect(governingTemplate(snapshot.templates, 'other://1')).toBeUndefined();
});

test('five hundred backends of twenty tools are assembled in a moment', () => {
  const sources = Array.from({ length: 500 }, (_, b) =>
    source(`b${b}`, catalogOf({ tools: Array.from({ length: 20 }, (_, t) => tool(`tool_${t}`)) })),
  );
  const firstMs = stopwatch();
  const first = snapshotOf(sources);
  const took = [firstMs()];
  const secondMs = stopwatch();
  const second = snapshotOf(sources, { names: first.names, before: first.snapshot });
  took.push(secondMs());
  expect(second.snapshot.tools.size).toBe(10_000);
  expect(isSameSnapshot(first.snapshot, second.snapshot)).toBe(true);
  expect(took[0]).toBeLessThan(2_000);
  expect(took[1]).toBeLessThan(1_000);
});
