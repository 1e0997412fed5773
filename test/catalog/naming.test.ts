import { describe, expect, test } from 'vitest';
import { surplusNames } from '#catalog/name-table.ts';
import { assignNames, type NameRecord, type NameTable, nameKey } from '#catalog/naming.ts';
import { proposePublicName } from '#catalog/public-name.ts';
import { backendId, rules } from './samples.ts';

function propose(prefix: string, own: string) {
  return proposePublicName(prefix, own, rules);
}

describe('public names (R19)', () => {
  test('are the prefix, an underscore and the own name', () => {
    expect(propose('notes', 'list')).toEqual({ ok: true, value: 'notes_list' });
  });

  test('are the own name alone where the prefix is empty', () => {
    expect(propose('', 'list')).toEqual({ ok: true, value: 'list' });
  });

  test.each([
    ['repo/create.issue', 'gh_repo_create_issue'],
    ['émile 😀x', 'gh__mile__x'],
  ])('replace characters that model APIs refuse: %s', (own, expected) => {
    expect(propose('gh', own)).toEqual({ ok: true, value: expected });
  });

  test('may have 48 characters and no more', () => {
    expect(propose('b', 'x'.repeat(46)).ok).toBe(true);
    expect(propose('b', 'x'.repeat(47))).toEqual({ ok: false, error: 'name_too_long' });
  });

  test('never have more than 60 characters whatever is configured', () => {
    const generous = { ...rules, maxLength: 200 };
    expect(proposePublicName('', 'x'.repeat(60), generous).ok).toBe(true);
    expect(proposePublicName('', 'x'.repeat(61), generous)).toEqual({ ok: false, error: 'name_too_long' });
  });

  test('are not those of the gateway itself, also after mapping', () => {
    expect(propose('', 'whoami')).toEqual({ ok: false, error: 'name_reserved' });
    expect(propose('', 'find.tools')).toEqual({ ok: false, error: 'name_reserved' });
  });

  test.each(['', '日本', '../..', '__'])('need a letter or digit of their own: %j', (own) => {
    expect(propose('b', own)).toEqual({ ok: false, error: 'name_illegal' });
  });

  test('need a legal prefix', () => {
    expect(propose('a.b', 'x')).toEqual({ ok: false, error: 'name_illegal' });
  });
});

const candidate = (id: string, ownName: string, prefix = id) => ({ id: backendId(id), prefix, ownName });
const tableOf = (records: readonly NameRecord[]): NameTable =>
  new Map(records.map((record) => [nameKey(record.kind, record.publicName), record]));
const assign = (candidates: readonly ReturnType<typeof candidate>[], table: NameTable = new Map(), now = 5) =>
  assignNames('tool', candidates, table, rules, now);

describe('the assignment of names (R19)', () => {
  test('withholds a newcomer that wants a name somebody has, in either order', () => {
    const old = candidate('a', 'b_c');
    const newcomer = candidate('a_b', 'c');
    const { changed } = assign([old]);
    for (const order of [
      [old, newcomer],
      [newcomer, old],
    ]) {
      const result = assign(order, tableOf(changed));
      expect(result.assigned.get('a_b_c')).toBe(old);
      expect(result.refused).toEqual([{ candidate: newcomer, reason: 'name_collision' }]);
      expect(result.changed).toEqual([]);
    }
  });

  test('keeps a name for an owner that does not list it at the moment', () => {
    const { changed } = assign([candidate('a', 'b_c')]);
    const result = assign([candidate('a_b', 'c')], tableOf(changed));
    expect(result.assigned.size).toBe(0);
    expect(result.refused[0]?.reason).toBe('name_collision');
  });

  test('prefers an unmapped own name among newcomers, then the order of backend ids', () => {
    const exact = candidate('z', 'a_b', '');
    const mapped = candidate('a', 'a.b', '');
    expect(assign([mapped, exact]).assigned.get('a_b')).toBe(exact);
    const first = candidate('m', 'x', '');
    const second = candidate('n', 'x', '');
    expect(assign([second, first]).assigned.get('x')).toBe(first);
  });

  test('withholds the second of two own names that map to the same, and both times the same one', () => {
    const dot = candidate('a', 'x.y');
    const slash = candidate('a', 'x/y');
    const first = assign([slash, dot]);
    expect(first.assigned.get('a_x_y')).toBe(dot);
    expect(assign([slash], tableOf(first.changed)).assigned.size).toBe(0);
  });

  test('withholds a tool that a backend lists twice, the first time and every time', () => {
    const twice = [candidate('a', 'x'), candidate('a', 'x')];
    const first = assign(twice);
    for (const result of [first, assign(twice, tableOf(first.changed))]) {
      expect(result.assigned.get('a_x')).toBe(twice[0]);
      expect(result.refused).toEqual([{ candidate: twice[1], reason: 'name_collision' }]);
    }
  });

  test('retires the old name on a prefix edit, and takes it back on the way back', () => {
    const before = assign([candidate('a', 'x')], new Map(), 1);
    const moved = assign([candidate('a', 'x', 'new')], tableOf(before.changed), 2);
    expect(moved.changed.map(({ publicName, retiredAt }) => [publicName, retiredAt])).toEqual([
      ['new_x', undefined],
      ['a_x', 2],
    ]);
    const back = assign([candidate('a', 'x')], tableOf(moved.changed), 3);
    expect(back.changed.map(({ publicName, retiredAt }) => [publicName, retiredAt])).toEqual([
      ['a_x', undefined],
      ['new_x', 3],
    ]);
  });

  test('lists names in code-unit order', () => {
    const names = [
      ...assign([candidate('b', 'x'), candidate('a', 'Z'), candidate('a', 'a')]).assigned.keys(),
    ];
    expect(names).toEqual(['a_Z', 'a_a', 'b_x']);
  });

  test('does not mix tools and prompts', () => {
    const { changed } = assign([candidate('a', 'b_c')]);
    const prompts = assignNames('prompt', [candidate('a_b', 'c')], tableOf(changed), rules, 6);
    expect([...prompts.assigned.keys()]).toEqual(['a_b_c']);
  });
});

test('a backend that invents names without end forgets its own oldest unlisted ones, never those of others', () => {
  const record = (backend: string, publicName: string): NameRecord => {
    return { kind: 'tool', publicName, backend, ownName: publicName, since: 0, retiredAt: undefined };
  };
  const table = tableOf([
    record('calm', 'c1'),
    ...['n1', 'n2', 'n3', 'n4', 'n5'].map((name) => record('noisy', name)),
  ]);
  const surplus = surplusNames(table, ({ publicName }) => publicName === 'n1', 3);
  expect(surplus.map(({ publicName }) => publicName)).toEqual(['n2', 'n3']);
});
