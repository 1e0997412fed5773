import { describe, expect, test } from 'vitest';
import type { AuditRecord } from '#audit/line.ts';
import { type AuditEntry, auditEntry, codeRows, seriesOf, toolRows } from '#cli/ui/audit-entries.ts';
import { auditFrame } from '#cli/ui/audit-frame.ts';
import {
  type AuditState,
  auditState,
  filtered,
  pressInAudit,
  withBreak,
  withEntries,
  withTime,
} from '#cli/ui/audit-state.ts';
import { bar, sparkline } from '#cli/ui/chart.ts';
import type { Line } from '#cli/ui/line.ts';
import type { JsonObject } from '#kernel/json.ts';

const start = Date.UTC(2026, 2, 4, 10);
const hostile = '\u001b]0;owned\u0007\u009b2J\u202e\n';

function record(seq: number, fields: JsonObject = {}, kind = 'call'): AuditRecord {
  const time = new Date(start + seq * 1_000).toISOString();
  const all: JsonObject = {
    v: 1,
    kind,
    chain: 'c',
    seq,
    time,
    prev: 'p',
    method: 'tools/call',
    tool: 'notes_list',
    backend: 'notes',
    outcome: 'ok',
    code: 'ok',
    user: 'pseudonym-of-ada-abcdef',
    ms: 12,
    ...fields,
  };
  return { kind, chain: 'c', seq, time, prev: 'p', fields: all };
}
const entries = (...records: readonly AuditRecord[]): readonly AuditEntry[] => records.map(auditEntry);

const some = entries(
  ...Array.from({ length: 40 }, (_, index) => record(index, { ms: index + 1 })),
  record(40, {
    tool: 'billing_refund',
    backend: 'billing',
    outcome: 'refused',
    code: 'scope_missing',
    ms: 900,
  }),
  record(41, {
    tool: 'billing_refund',
    backend: 'billing',
    outcome: 'error',
    code: 'backend_timeout',
    ms: 9_000,
  }),
  record(42, { action: 'catalog.poll', actor: 'local', tool: '' }, 'admin'),
  record(43, { tool: `evil${hostile}`, user: hostile, code: hostile, agent: hostile }),
);
const opened = (isFollowing = true): AuditState =>
  withEntries(auditState({ isFollowing, now: start, order: 'slowest', span: '10m' }), some, true);

const size = { columns: 100, rows: 34 };
const pressed = (state: AuditState, ...keys: readonly string[]) =>
  keys.reduce((before: AuditState, key) => {
    const isText = key.startsWith('"');
    return pressInAudit(before, isText ? { key: '', text: key.slice(1) } : { key, text: '' }, size) ?? before;
  }, state);
const text = (lines: readonly Line[]) =>
  lines.map((line) => line.map((span) => span.text).join('')).join('\n');
const screen = (state: AuditState) => text(auditFrame(state, size));

describe('the view of the audit', () => {
  test.each([
    [60, 14],
    [60, 24],
    [80, 24],
    [120, 40],
    [220, 60],
  ])('fills a screen of %i columns and %i rows and never more', (columns, rows) => {
    for (const state of [
      opened(),
      withBreak(opened(), 'x.jsonl:4: edited: it was changed'),
      pressed(opened(), 'enter'),
    ]) {
      const lines = auditFrame(state, { columns, rows });
      expect(lines).toHaveLength(rows);
      for (const line of lines) expect(Bun.stringWidth(text([line]))).toBeLessThanOrEqual(columns);
    }
  });

  test('shows rates, the slowest tools and why calls failed', () => {
    const shown = screen(opened());
    expect(shown).toMatch(/calls .*█.* 43 /);
    expect(shown).toMatch(/errors .* 1 +2\.3 %/);
    expect(shown).toMatch(/refused .* 1 +2\.3 %/);
    expect(shown).toMatch(/billing_refund +━+ +9000 ms/);
    expect(shown).toMatch(/scope_missing +━+ +1/);
    expect(shown).toMatch(/10:00:41 ✗ billing_refund +backend_timeout/);
    expect(shown).toContain('admin catalog.poll');
  });

  test('a refused call counts in no tool’s times', () => {
    const [row] = toolRows(some).filter(({ name }) => name === 'billing_refund');
    expect(row).toEqual({ name: 'billing_refund', calls: 2, failed: 2, p50: 9_000, p95: 9_000 });
    expect(toolRows(some).find(({ name }) => name === 'notes_list')).toMatchObject({ p50: 20, p95: 38 });
    expect(codeRows(some).map(({ code }) => code)).toEqual(['backend_timeout', 'scope_missing']);
  });

  test('a series ends now, and holds nothing older than its span', () => {
    const series = seriesOf(some, start + 43_000, 10_000, 10);
    expect(series.calls).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 0, 1]);
    expect(series.refused.indexOf(1)).toBe(6);
  });

  test('stands still until it may follow again, and then shows what came meanwhile', () => {
    const still = withTime(
      withEntries(opened(false), entries(record(50), record(51)), false),
      start + 90_000,
    );
    expect(screen(still)).toContain('standing still, 2 new');
    expect(still.entries).toHaveLength(some.length);
    expect(still.now).toBe(start + 43_000);
    const follows = pressed(still, '"f');
    expect(follows.entries).toHaveLength(some.length + 2);
    expect(screen(follows)).toContain('● following');
    expect(pressed(follows, '" ').isFollowing).toBe(false);
  });

  test('filters by words and by outcome', () => {
    const typed = pressed(opened(), '"/', '"refund time');
    expect(typed.isTyping).toBe(true);
    expect(filtered(typed).map(({ code }) => code)).toEqual(['backend_timeout']);
    expect(screen(typed)).toContain('1 of 44');
    expect(pressed(typed, 'enter', '"q')).toEqual(pressed(typed, 'enter'));
    expect(pressed(typed, 'escape').filter).toBe('');
    const refused = pressed(opened(), '"o', '"o', '"o');
    expect(filtered(refused).map(({ outcome }) => outcome)).toEqual(['refused']);
    expect(pressed(refused, 'escape').outcome).toBe('all');
  });

  test('a letter of a filter is no command', () => {
    expect(pressed(opened(), '"/fq ow').filter).toBe('fq ow');
  });

  test('opens a record with all it says, and stays on it while others come', () => {
    const chosen = pressed(opened(), 'down', 'down');
    const later = withEntries(chosen, entries(record(60), record(61)), false);
    const shown = screen(pressed(later, 'enter'));
    expect(shown).toMatch(/code +backend_timeout/);
    expect(shown).toMatch(/time +2026-03-04T10:00:41\.000Z/);
    expect(pressed(later, 'enter', 'escape').isOpen).toBe(false);
  });

  test('changes order and span, and ends with q and Esc', () => {
    expect(screen(pressed(opened(), '"s'))).toContain('Busiest tools');
    expect(screen(pressed(opened(), '"w'))).toContain('last hour');
    expect(pressInAudit(opened(), { key: '', text: 'q' }, size)).toBeUndefined();
    expect(pressInAudit(opened(), { key: 'escape', text: '' }, size)).toBeUndefined();
  });

  test('says where the chain does not hold', () => {
    const shown = screen(withBreak(opened(), 'audit-1.jsonl:6: edited: this line was changed'));
    expect(shown).toContain('chain broken ✗ 1');
    expect(shown).toContain('✗ audit-1.jsonl:6: edited');
  });

  test('keeps at most 20,000 records', () => {
    const many = Array.from({ length: 15_000 }, (_, index) => record(100 + index)).map(auditEntry);
    const state = withEntries(withEntries(opened(), many, false), many, false);
    expect(state.entries).toHaveLength(20_000);
    expect(withEntries(opened(false), [...many, ...many], false).waiting).toHaveLength(20_000);
  });

  test('nothing that a record says drives the terminal', () => {
    for (const state of [opened(), pressed(opened(), 'enter')]) {
      const shown = screen(state).replaceAll('\n', '');
      expect([...shown].filter((character) => /[\p{Cc}\p{Cf}]/u.test(character))).toEqual([]);
    }
    expect(screen(opened())).toContain('evil<U+001B>]0;owned');
  });

  test('draws the highest value as high as the row, and nothing as a thin line', () => {
    expect(text([sparkline([0, 1, 4, 8], 'good')])).toBe('▁▂▅█');
    expect(text([sparkline([0, 0], 'good')])).toBe('▁▁');
    expect(bar(1, 4, 'good').text).toBe('━━━━');
    expect(bar(0.1, 4, 'good').text).toBe('╸   ');
    expect(bar(0, 4, 'good').text).toBe('    ');
  });
});
