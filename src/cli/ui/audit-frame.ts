import type { AuditEntry } from './audit-entries.ts';
import { panelsOf, rates } from './audit-panels.ts';
import { details, records } from './audit-records.ts';
import { type AuditState, chosenAt, filtered, spanMs } from './audit-state.ts';
import { bold, fitText, keyHints, type Line, rule, span, spread } from './line.ts';
import { clockText } from './units.ts';
import type { Size } from './view.ts';

/** Rates at the top, the slowest tools and the refusals below them, then the records, the newest first. */
export function auditFrame(state: AuditState, { columns, rows }: Size): readonly Line[] {
  const shown = filtered(state);
  const top = [title(state, columns), ...broken(state, columns)];
  const bottom = [rule(columns), prompt(state, shown.length, columns)];
  const room = rows - top.length - bottom.length;
  const entry = shown[shown.length - 1 - chosenAt(state, shown)];
  if (state.isOpen && entry !== undefined)
    return [...top, rule(columns), ...details(state, entry, columns, room - 1), ...bottom];
  const recent = inSpan(shown, state);
  const charts = [
    rule(columns, `Calls of the last ${spanWords[state.span]}`),
    ...rates(recent, state, columns),
  ];
  const panelRows = Math.max(0, Math.min(7, room - charts.length - 7));
  const panels = panelRows < 3 ? [] : panelsOf(recent, state, columns, panelRows);
  const list = records(state, shown, columns, room - charts.length - panels.length - 1);
  return [...top, ...charts, ...panels, rule(columns, 'Records'), ...list, ...bottom];
}

const spanWords = { '1m': 'minute', '10m': '10 minutes', '1h': 'hour', '1d': 'day' } as const;

function inSpan(entries: readonly AuditEntry[], { now, span: length }: AuditState): readonly AuditEntry[] {
  const from = now - spanMs[length];
  return entries.filter(({ time }) => time > from && time <= now);
}

function title({ isFollowing, waiting, breaks, now }: AuditState, columns: number): Line {
  const follow = isFollowing
    ? [span('● ', 'good'), span('following', 'good')]
    : [
        span('‖ ', 'warn'),
        span(waiting.length === 0 ? 'standing still' : `standing still, ${waiting.length} new`, 'warn'),
      ];
  const chain =
    breaks.length === 0 ? span('chain holds ✓', 'good') : bold(`chain broken ✗ ${breaks.length}`, 'bad');
  const clock = columns >= 80 ? [span(`  ${clockText(now)} UTC `, 'soft')] : [span(' ')];
  return spread(
    [bold(' Cortex', 'accent'), bold(' audit')],
    [...follow, span('  '), chain, ...clock],
    columns,
  );
}

function broken({ breaks }: AuditState, columns: number): readonly Line[] {
  const last = breaks.at(-1);
  return last === undefined ? [] : [[bold(fitText(` ✗ ${last}`, columns), 'bad')]];
}

function prompt(state: AuditState, shown: number, columns: number): Line {
  const { isTyping, filter, outcome, isOpen, isFollowing, entries } = state;
  if (isTyping)
    return spread(
      [span(' / ', 'accent'), bold(filter), span('▏', 'accent')],
      [span(`${shown} of ${entries.length} · Enter keeps, Esc clears `, 'soft')],
      columns,
    );
  const pairs: readonly (readonly [string, string])[] = isOpen
    ? [
        ['Esc', 'back'],
        ['↑↓', 'scroll'],
        ['q', 'quit'],
      ]
    : [
        ['q', 'quit'],
        ['f', isFollowing ? 'stand still' : 'follow'],
        ['/', filter === '' ? 'filter' : `filter: ${fitText(filter, Math.min(16, Bun.stringWidth(filter)))}`],
        ['o', outcome === 'all' ? 'outcome' : `only ${outcome}`],
        ['w', 'span'],
        ['s', 'order'],
        ['Enter', 'record'],
        ['^T', 'colours'],
      ];
  return keyHints(pairs, columns);
}
