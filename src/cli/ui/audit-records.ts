import type { AuditEntry } from './audit-entries.ts';
import { type AuditState, chosenAt } from './audit-state.ts';
import { fitLine, fitRows, fitText, type Line, marked, span, type Tone, widthOf } from './line.ts';
import { flatText, wrappedText } from './outside-text.ts';
import { clockText, milliseconds } from './units.ts';

/** The records, the newest first. */
export function records(
  state: AuditState,
  shown: readonly AuditEntry[],
  columns: number,
  rows: number,
): readonly Line[] {
  if (shown.length === 0) {
    const why =
      state.entries.length === 0 ? 'Nothing is recorded yet.' : 'Nothing matches. Esc shows all again.';
    return fitRows([[span(`  ${why}`, 'soft')]], rows);
  }
  const at = chosenAt(state, shown);
  const first = Math.max(0, Math.min(at - Math.floor(rows / 2), shown.length - rows));
  const newest = shown.slice(Math.max(0, shown.length - first - rows), shown.length - first).toReversed();
  return fitRows(
    newest.map((entry, index) => record(entry, first + index === at, columns)),
    rows,
  );
}

function record(entry: AuditEntry, isChosen: boolean, columns: number): Line {
  const { time, kind, outcome, what, backend, user, code, ms } = entry;
  const tone = kind === 'call' ? toneOf(outcome) : 'accent';
  const head: Line = [
    span(isChosen ? '▌' : ' ', 'accent'),
    span(`${clockText(time)} `, 'soft'),
    span(`${signs[outcome] ?? '◆'} `, tone),
  ];
  const tail: Line = [span(fitText(ms === undefined ? '' : milliseconds(ms), 9, 'right'), 'soft'), span(' ')];
  const room = columns - widthOf(head) - widthOf(tail);
  const names = Math.max(16, Math.min(34, Math.floor(room * 0.4)));
  const about: Line = [
    { text: fitText(what, names), isBold: isChosen },
    span('  '),
    ...(code === '' ? [] : [span(`${code} `, tone)]),
    ...(backend === '' || !code.includes(backend)
      ? [span(backend === '' ? '' : `on ${backend} `, 'soft')]
      : []),
    span(user === '' ? '' : `for ${user.slice(0, 8)}`, 'soft'),
  ];
  const whole = [...head, ...fitLine(about, room), ...tail];
  return isChosen ? marked(whole) : whole;
}

const signs: Readonly<Record<string, string>> = {
  ok: '✓',
  error: '✗',
  refused: '⊘',
  cancelled: '–',
  input_required: '?',
};

function toneOf(outcome: string): Tone {
  if (outcome === 'ok') return 'good';
  return outcome === 'error' ? 'bad' : 'warn';
}

/** Everything that one record says. */
export function details(
  state: AuditState,
  entry: AuditEntry,
  columns: number,
  rows: number,
): readonly Line[] {
  const names = 18;
  const lines = Object.entries(entry.fields).flatMap(([name, value]): readonly Line[] => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const tone = name === 'outcome' ? toneOf(entry.outcome) : undefined;
    return wrappedText(text, columns - names - 3).map((row, at) => [
      span(` ${fitText(at === 0 ? flatText(name) : '', names)} `, 'soft'),
      span(row, tone),
    ]);
  });
  const from = Math.max(0, Math.min(state.scrolled, lines.length - rows));
  return fitRows(lines.slice(from), rows);
}
