import { describe, expect, test } from 'vitest';
import { wholeChoice } from '#mcp/choice.ts';
import { encodeCursor } from '#mcp/cursor.ts';
import { createViews } from '#mcp/views.ts';
import { snapshotOf, source, tool } from '../catalog/samples.ts';

const reader = { scopes: new Set(['read']), scopeKey: 'read' };
const writer = { scopes: new Set(['write']), scopeKey: 'write' };
const nobody = { scopes: new Set<string>(), scopeKey: '' };
const { snapshot } = snapshotOf([
  source('a', {
    tools: Array.from({ length: 30 }, (_, index) => tool(`t${String(index).padStart(2, '0')}`)),
  }),
  source('b', { tools: [tool('big', { scopes: ['write'], wire: { description: 'x'.repeat(20_000) } })] }),
]);
const roomy = { maxEntries: 100, maxBytes: 10_000_000, pageSize: 10 };

function pageAfter(views: ReturnType<typeof createViews>, after: string) {
  const page = views.page(views.of(snapshot, reader, wholeChoice), 'tools', 'modern', encodeCursor(after));
  if (!page.ok) throw new Error(page.error.reason);
  return page.value;
}

describe('pages', () => {
  test('are kept by the place where they begin, not by the cursor that a caller made up', () => {
    const views = createViews(roomy);
    const first = views.page(views.of(snapshot, reader, wholeChoice), 'tools', 'modern', undefined);
    expect(first.ok && first.value).toBe(pageAfter(views, ''));
    for (const invented of ['A', '0', 'a_', 'a_t'])
      expect(pageAfter(views, invented)).toBe(first.ok && first.value);
    const second = pageAfter(views, 'a_t09');
    for (const invented of ['a_t090', 'a_t09zzz']) expect(pageAfter(views, invented)).toBe(second);
    expect(second.members).toContain('"a_t10"');
  });

  test('beyond the last name are empty and have no next one', () => {
    expect(pageAfter(createViews(roomy), 'zzz').members).toBe('"tools":[]');
  });

  test('count their bytes as the client gets them', () => {
    const { snapshot: umlauts } = snapshotOf([
      source('a', { tools: [tool('x', { wire: { description: 'äöü' } })] }),
    ]);
    const views = createViews(roomy);
    const page = views.page(views.of(umlauts, reader, wholeChoice), 'tools', 'modern', undefined);
    expect(page.ok && page.value.bytes).toBe(Buffer.byteLength(page.ok ? page.value.members : ''));
  });
});

describe('the cache', () => {
  test('gives the same view until something that decides it changes', () => {
    const views = createViews(roomy);
    const view = views.of(snapshot, reader, wholeChoice);
    expect(views.of(snapshot, { ...reader }, { ...wholeChoice })).toBe(view);
    expect(views.of(snapshot, writer, wholeChoice)).not.toBe(view);
    expect(views.of({ ...snapshot, generation: snapshot.generation + 1 }, reader, wholeChoice)).not.toBe(
      view,
    );
    expect(views.of(snapshot, reader, { ...wholeChoice, mode: 'search', key: 'search' })).not.toBe(view);
  });

  test('gives one view for all choices that name the same backends, whatever else they name', () => {
    const views = createViews(roomy);
    const choiceOf = (backends: readonly string[]) => ({
      backends,
      mode: 'full' as const,
      key: `full ${backends.join(',')}`,
    });
    const view = views.of(snapshot, reader, choiceOf(['a', 'x1']));
    expect(view.tools).toHaveLength(30);
    expect(views.of(snapshot, reader, choiceOf(['a', 'x2']))).toBe(view);
    const none = views.of(snapshot, reader, choiceOf(['x1']));
    expect(none.tools).toEqual([]);
    expect(views.of(snapshot, reader, choiceOf(['x2']))).toBe(none);
    expect(views.of(snapshot, reader, wholeChoice)).not.toBe(none);
    expect(views.of(snapshot, reader, { ...choiceOf(['a']), mode: 'search' })).not.toBe(view);
  });

  test('holds no more entries than it may, the oldest go first', () => {
    const views = createViews({ ...roomy, maxEntries: 2 });
    const view = views.of(snapshot, reader, wholeChoice);
    views.of(snapshot, writer, wholeChoice);
    expect(views.of(snapshot, reader, wholeChoice)).toBe(view);
    views.of(snapshot, nobody, wholeChoice);
    expect(views.of(snapshot, reader, wholeChoice)).not.toBe(view);
  });

  test('counts what a view holds before anything of it was listed', () => {
    const views = createViews({ ...roomy, maxBytes: 3_400 });
    const view = views.of(snapshot, reader, wholeChoice);
    expect(view.tools).toHaveLength(30);
    views.of(snapshot, nobody, wholeChoice);
    expect(views.of(snapshot, reader, wholeChoice)).toBe(view);
    views.of({ ...snapshot, generation: 7 }, reader, wholeChoice);
    expect(views.of(snapshot, reader, wholeChoice)).not.toBe(view);
  });

  test('frees what an evicted view had grown to, however often that happens', () => {
    const views = createViews({ ...roomy, maxBytes: 15_000 });
    for (let round = 0; round < 5; round++) {
      const later = { ...snapshot, generation: 100 + round };
      const big = views.of(later, writer, wholeChoice);
      views.of(later, nobody, wholeChoice);
      views.page(big, 'tools', 'modern', undefined);
    }
    const small = views.of(snapshot, nobody, wholeChoice);
    views.of(snapshot, reader, wholeChoice);
    expect(views.of(snapshot, nobody, wholeChoice)).toBe(small);
  });
});
