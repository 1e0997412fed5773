import { type AuditEntry, codeRows, seriesOf, type ToolRow, toolRows } from './audit-entries.ts';
import { type AuditOrder, type AuditState, spanMs } from './audit-state.ts';
import { bar, sparkline } from './chart.ts';
import { beside, besideGap, bold, fitText, type Line, rule, span, type Tone } from './line.ts';
import { milliseconds } from './units.ts';

/** What counts as now. */
const lateMs = 10_000;

/** How many calls, how many of them failed or were refused, over the span; and how many there are now. */
export function rates(
  recent: readonly AuditEntry[],
  { now, span: length }: AuditState,
  columns: number,
): readonly Line[] {
  const label = 10;
  const figures = 26;
  const parts = Math.max(10, Math.min(120, columns - label - figures));
  const { calls, errors, refused } = seriesOf(recent, now, spanMs[length], parts);
  const all = total(calls);
  const lately =
    recent.filter(({ kind, time }) => kind === 'call' && time > now - lateMs).length / (lateMs / 1_000);
  const times = recent
    .flatMap(({ ms, outcome }) => (ms === undefined || outcome === 'refused' ? [] : [ms]))
    .sort((a, b) => a - b);
  const at = (share: number) => times[Math.max(0, Math.ceil(share * times.length) - 1)];
  const line = (name: string, values: readonly number[], tone: Tone, figure: string): Line => [
    bold(` ${name.padEnd(label - 1)}`, 'soft'),
    ...sparkline(values, tone),
    span(`  ${figure}`),
  ];
  const latency = times.length === 0 ? '' : `p50 ${milliseconds(at(0.5))}  p95 ${milliseconds(at(0.95))}`;
  return [
    line('calls', calls, 'accent', `${all.toLocaleString('en')}  ${lately.toFixed(1)}/s now`),
    line('errors', errors, 'bad', `${total(errors)}  ${share(total(errors), all)}`),
    line('refused', refused, 'warn', `${total(refused)}  ${share(total(refused), all)}`),
    [bold(` ${'time'.padEnd(label - 1)}`, 'soft'), span(latency)],
  ].slice(0, latency === '' ? 3 : 4);
}

/** The tools that the order puts first, and the reasons why calls failed, side by side. */
export function panelsOf(
  recent: readonly AuditEntry[],
  state: AuditState,
  columns: number,
  rows: number,
): readonly Line[] {
  const left = Math.floor((columns - besideGap) * 0.56);
  const right = columns - besideGap - left;
  const body = rows - 1;
  return beside(
    [rule(left, orderTitles[state.order]), ...tools(recent, state.order, left, body)],
    left,
    [rule(right, 'Refused and failed'), ...codes(recent, right, body)],
    right,
  );
}

const orderTitles = { slowest: 'Slowest tools', busiest: 'Busiest tools', failing: 'Failing tools' } as const;

const orders: Readonly<Record<AuditOrder, (row: ToolRow) => number>> = {
  slowest: ({ p95 = 0 }) => p95,
  busiest: ({ calls }) => calls,
  failing: ({ failed }) => failed,
};

function tools(
  recent: readonly AuditEntry[],
  order: AuditOrder,
  width: number,
  rows: number,
): readonly Line[] {
  const figureOf = orders[order];
  const all = toolRows(recent)
    .filter((row) => figureOf(row) > 0)
    .sort((a, b) => figureOf(b) - figureOf(a) || (a.name < b.name ? -1 : 1));
  if (all.length === 0) return [[span(order === 'failing' ? ' none failed' : ' no calls', 'soft')]];
  const most = figureOf(all[0] ?? { name: '', calls: 1, failed: 1, p50: 1, p95: 1 });
  const figures = width >= 44 ? 16 : 9;
  const names = Math.max(12, Math.min(28, Math.floor((width - figures) * 0.6)));
  return all.slice(0, rows).map((row) => {
    const value = order === 'slowest' ? milliseconds(row.p95) : `${figureOf(row)}`;
    const more = figures === 16 ? `${row.calls}×` : '';
    return [
      span(' '),
      span(fitText(row.name, names)),
      span(' '),
      bar(
        figureOf(row) / most,
        Math.max(3, width - names - figures - 3),
        order === 'failing' ? 'bad' : 'accent',
      ),
      span(fitText(value, 8, 'right')),
      span(fitText(more, figures - 8, 'right'), 'soft'),
    ];
  });
}

function codes(recent: readonly AuditEntry[], width: number, rows: number): readonly Line[] {
  const all = codeRows(recent);
  if (all.length === 0) return [[span(' none', 'soft')]];
  const most = all[0]?.count ?? 1;
  const names = Math.max(12, Math.min(24, width - 14));
  return all
    .slice(0, rows)
    .map(({ code, outcome, count }) => [
      span(' '),
      span(fitText(code, names)),
      span(' '),
      bar(count / most, Math.max(2, width - names - 9), outcome === 'error' ? 'bad' : 'warn'),
      span(fitText(`${count}`, 6, 'right')),
    ]);
}

function share(part: number, all: number): string {
  return all === 0 ? '' : `${((part / all) * 100).toFixed(1)} %`;
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
