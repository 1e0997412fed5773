import type { Target } from './targets.ts';
import { type Figures, median } from './wrk.ts';

/** The figures of one target at one concurrency, one entry a round. */
export interface Series {
  readonly target: Target['name'];
  readonly connections: number;
  readonly rounds: readonly Figures[];
}

export interface Row {
  readonly metric: string;
  readonly value: number;
  readonly must: string;
  readonly aim: string;
  readonly isMet: boolean;
}

const shareOfNginx = [
  { connections: 16, must: 0.45, aim: 0.65 },
  { connections: 64, must: 0.4, aim: 0.6 },
  { connections: 256, must: 0.35, aim: 0.55 },
] as const;

/** The ratios that the targets are written in. */
export function ratios(series: readonly Series[]): readonly Row[] {
  const of = (target: Target['name'], connections: number, figure: (figures: Figures) => number): number => {
    const found = series.find((one) => one.target === target && one.connections === connections);
    return median((found?.rounds ?? []).map(figure));
  };
  const rate = (figures: Figures): number => figures.requestsPerSecond;
  const cpu = (figures: Figures): number => figures.cpuUs;
  const p50 = (figures: Figures): number => figures.p50Us;
  const atLeast = (metric: string, value: number, must: number, aim: number): Row => ({
    metric,
    value,
    must: `>= ${must}`,
    aim: `>= ${aim}`,
    isMet: value >= must,
  });
  const atMost = (metric: string, value: number, must: number, aim: number): Row => ({
    metric,
    value,
    must: `<= ${must}`,
    aim: `<= ${aim}`,
    isMet: value <= must,
  });
  return [
    ...shareOfNginx.map(({ connections, must, aim }) =>
      atLeast(
        `calls/s, of nginx, c=${connections}`,
        of('gateway', connections, rate) / of('nginx', connections, rate),
        must,
        aim,
      ),
    ),
    atMost('CPU a call, of nginx, c=64', of('gateway', 64, cpu) / of('nginx', 64, cpu), 3.2, 2),
    atMost('p50 at c=1, of nginx', of('gateway', 1, p50) / of('nginx', 1, p50), 1.7, 1.25),
    atLeast('calls/s, of SDK createMcpHandler, c=64', of('gateway', 64, rate) / of('sdk', 64, rate), 4, 6),
  ];
}

/** Two tables in Markdown: the ratios, and the medians they come from. */
export function markdown(series: readonly Series[], rows: readonly Row[]): string {
  const lines = [
    '| metric | ratio | must | aim |',
    '|---|---|---|---|',
    ...rows.map(
      (row) =>
        `| ${row.metric} | ${row.value.toFixed(2)}${row.isMet ? '' : ' (missed)'} | ${row.must} | ${row.aim} |`,
    ),
    '',
    '| connections | in front of the backend | calls/s | p50 us | p99 us | CPU us a call |',
    '|---|---|---|---|---|---|',
    ...series.map(({ target, connections, rounds }) => {
      const of = (figure: (figures: Figures) => number): string => median(rounds.map(figure)).toFixed(0);
      const rate = of((figures) => figures.requestsPerSecond);
      const [p50, p99] = [of((figures) => figures.p50Us), of((figures) => figures.p99Us)];
      return `| ${connections} | ${target} | ${rate} | ${p50} | ${p99} | ${of((figures) => figures.cpuUs)} |`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}
