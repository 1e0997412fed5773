import { describe, expect, test } from 'vitest';
import { createChangeHistory } from '#catalog/change-history.ts';
import { emptySnapshot } from '#catalog/empty-snapshot.ts';
import { createMovingClock } from '../support/moving-clock.ts';
import { backendId, catalogOf, snapshotOf, source, tool } from './samples.ts';

const notes = (...names: readonly string[]) =>
  snapshotOf([source('notes', catalogOf({ tools: names.map((name) => tool(name)) }))]).snapshot;

describe('the history of the catalog', () => {
  test('has what came and went of each backend, newest first', () => {
    const history = createChangeHistory(createMovingClock(), 10);
    const [one, two] = [notes('a', 'b'), notes('b', 'c')];
    history.note(emptySnapshot, one);
    history.note(one, two);
    const [last, first] = history.all();
    expect(first).toMatchObject({ added: ['notes_a', 'notes_b'], removed: [], status: 'fresh' });
    expect(last).toMatchObject({ added: ['notes_c'], removed: ['notes_a'], status: undefined });
    expect(history.lastOf(backendId('notes'))).toBe(last);
    expect(history.lastOf(backendId('other'))).toBeUndefined();
  });

  test('is bounded, and names the first few of many', () => {
    const history = createChangeHistory(createMovingClock(), 3);
    const many = notes(...Array.from({ length: 50 }, (_, n) => `tool_${n}`));
    for (let n = 0; n < 5; n += 1) {
      history.note(emptySnapshot, many);
      history.note(many, emptySnapshot);
    }
    expect(history.all()).toHaveLength(3);
    expect(history.all().map(({ count }) => count)).toEqual([50, 50, 50]);
    for (const { added, removed } of history.all()) expect(added.length + removed.length).toBe(12);
    expect(history.lastOf(backendId('notes'))).toBeUndefined();
  });
});
