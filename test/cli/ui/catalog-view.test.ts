import { describe, expect, test } from 'vitest';
import { catalogFrame } from '#cli/ui/catalog-frame.ts';
import { catalogTabs } from '#cli/ui/catalog-items.ts';
import { type CatalogState, catalogState, pressInCatalog } from '#cli/ui/catalog-state.ts';
import type { Line } from '#cli/ui/line.ts';
import type { Size } from '#cli/ui/view.ts';
import { snapshotOf, source, tool } from '../../catalog/samples.ts';

const hostile = '\u001b]0;owned\u0007\u009b2J\u202e\nnext\tcell';
const tools = [
  tool('list', { scopes: ['notes:read'], wire: { description: 'Lists notes.' } }),
  tool('write', { scopes: ['notes:write'], wire: { description: hostile, inputSchema: schema() } }),
  ...Array.from({ length: 60 }, (_, index) => tool(`more_${index}`, { scopes: ['notes:read'] })),
];
function schema() {
  return {
    type: 'object',
    properties: {
      title: { type: 'string', description: `The title ${hostile}` },
      when: { type: 'object', properties: { day: { type: 'string', format: 'date' } } },
      tags: { type: 'array', items: { enum: ['a', 'b'] }, default: [] },
    },
    required: ['title'],
  };
}

function opened(): CatalogState {
  const { snapshot } = snapshotOf([source('notes', { tools })]);
  const plans = [
    { name: 'free', scopes: new Set(['notes:read']) },
    { name: 'pro', scopes: new Set(['notes:read', 'notes:write']) },
  ];
  const all = { name: 'all', scopes: new Set(['notes:read', 'notes:write']) };
  const tabs = catalogTabs(snapshot, all, plans, undefined);
  return catalogState(
    { tabs, plans, source: '1 backend', troubles: [] },
    { tab: 0, sort: 'name', isRaw: false },
  );
}

const size: Size = { columns: 100, rows: 30 };
const pressed = (state: CatalogState, ...keys: readonly string[]) =>
  keys.reduce((before: CatalogState, key) => {
    const isText = key.startsWith('"');
    return (
      pressInCatalog(before, isText ? { key: '', text: key.slice(1) } : { key, text: '' }, size) ?? before
    );
  }, state);
const text = (lines: readonly Line[]) =>
  lines.map((line) => line.map((span) => span.text).join('')).join('\n');
const chosen = ({ shown, chosen: at }: CatalogState) => shown[at]?.name;

describe('the browser of the catalog', () => {
  test.each([
    [60, 12],
    [60, 24],
    [80, 24],
    [100, 30],
    [120, 40],
    [200, 60],
  ])('fills a screen of %i columns and %i rows and never more', (columns, rows) => {
    for (const state of [
      opened(),
      pressed(opened(), '"write'),
      pressed(opened(), '"write', 'enter', 'ctrl+r'),
    ]) {
      const lines = catalogFrame(state, { columns, rows });
      expect(lines).toHaveLength(rows);
      for (const line of lines) expect(Bun.stringWidth(text([line]))).toBeLessThanOrEqual(columns);
    }
  });

  test('filters as one types, by every word, in names, descriptions, scopes and parameters', () => {
    expect(chosen(pressed(opened(), '"wri'))).toBe('notes_write');
    expect(pressed(opened(), '"lists notes').shown.map(({ name }) => name)).toEqual(['notes_list']);
    expect(chosen(pressed(opened(), '"tags'))).toBe('notes_write');
    expect(pressed(opened(), '"notes:read 59').shown.map(({ name }) => name)).toEqual(['notes_more_59']);
    expect(pressed(opened(), '"wrx', 'backspace').filter).toBe('wr');
    expect(text(catalogFrame(pressed(opened(), '"nothing like it'), size))).toContain('Nothing matches');
  });

  test('has a tab for each plan, with what that plan sees', () => {
    const { book } = opened();
    expect(book.tabs.map(({ name, items }) => [name, items.length])).toEqual([
      ['all', 62],
      ['free', 61],
      ['pro', 62],
    ]);
    expect(pressed(opened(), 'tab', '"write').shown).toEqual([]);
    expect(pressed(opened(), 'shift+tab').tab).toBe(2);
    expect(pressed(opened(), 'right', 'right', 'right').tab).toBe(0);
  });

  test('moves within the list, and no further', () => {
    expect(pressed(opened(), 'up').chosen).toBe(0);
    expect(pressed(opened(), 'down', 'down').chosen).toBe(2);
    expect(pressed(opened(), 'end', 'down').chosen).toBe(61);
    expect(pressed(opened(), 'end', 'pageUp').chosen).toBe(61 - 22);
    expect(text(catalogFrame(pressed(opened(), 'end'), size))).toContain('▌◆ notes_write');
  });

  test('sorts by name, backend and size', () => {
    expect(chosen(pressed(opened(), 'ctrl+s', 'ctrl+s'))).toBe('notes_write');
    expect(pressed(opened(), 'ctrl+s', 'ctrl+s', 'ctrl+s').sort).toBe('name');
  });

  test('shows parameters as a table, nested ones below their owner, or as JSON', () => {
    const open = pressed(opened(), '"write', 'enter');
    expect(text(catalogFrame(open, size))).toMatch(
      /title\* +string[\s\S]*when\.day +string \(date\)[\s\S]*tags +"a" \| "b"\[\]/,
    );
    expect(text(catalogFrame(pressed(open, 'ctrl+r'), size))).toContain('"inputSchema": {');
    expect(text(catalogFrame(open, size))).toContain('· free  ✓ pro');
  });

  test('a long pane scrolls to its end and stays there', () => {
    const open = pressed(opened(), '"write', 'enter', 'ctrl+r', 'end', 'pageDown');
    expect(text(catalogFrame(open, { columns: 80, rows: 16 }))).toContain('└ the end');
    expect(text(catalogFrame(pressed(open, 'home'), { columns: 80, rows: 16 }))).toMatch(/↓ \d+ more/);
  });

  test('Esc goes back one step at a time, and then ends', () => {
    const open = pressed(opened(), '"write', 'enter');
    const back = pressed(open, 'escape');
    expect(back).toMatchObject({ isOpen: false, filter: 'write' });
    expect(pressed(back, 'escape').filter).toBe('');
    expect(pressInCatalog(opened(), { key: 'escape', text: '' }, size)).toBeUndefined();
  });

  test('nothing that a backend says drives the terminal', () => {
    for (const keys of [['"write'], ['"write', 'enter'], ['"write', 'enter', 'ctrl+r']]) {
      const shown = text(catalogFrame(pressed(opened(), ...keys), size));
      expect(
        [...shown.replaceAll('\n', '')].filter((character) => /[\p{Cc}\p{Cf}]/u.test(character)),
      ).toEqual([]);
    }
    expect(text(catalogFrame(pressed(opened(), '"write'), size))).toContain('<U+001B>]0;owned');
  });

  test('what nobody sees has a tab of its own, with the reason and the next command', () => {
    const { snapshot } = snapshotOf([source('notes', { tools: [tool('secret', { scopes: [] })] })]);
    const tabs = catalogTabs(snapshot, { name: 'all', scopes: new Set() }, [], undefined);
    expect(tabs.map(({ name }) => name)).toEqual(['all', 'hidden']);
    const state = catalogState(
      { tabs, plans: [], source: '', troubles: ['1 stale'] },
      { tab: 1, sort: 'name', isRaw: false },
    );
    const shown = text(catalogFrame(state, size));
    expect(shown).toContain('withheld: no_scope');
    expect(shown).toContain('next: cortex catalog --why secret');
    expect(shown).toContain('▲ 1 stale');
  });
});
