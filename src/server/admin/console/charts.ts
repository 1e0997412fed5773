import { type Html, html } from '#kernel/html.ts';
import type { SeriesMinute } from '#observability/backend-series.ts';
import { count, duration } from './shown.ts';

const step = 4;
const gap = 1;

/** Calls of each minute as bars, with what failed of them in front. */
export function callBars(minutes: readonly SeriesMinute[], what: string, height = 32): Html {
  const most = Math.max(1, ...minutes.map(({ calls }) => calls));
  const [calls, errors] = [sum(minutes, 'calls'), sum(minutes, 'errors')];
  const bars = (key: 'calls' | 'errors') =>
    html`<path class="${key}" d="${minutes.map((minute, index) => bar(index, minute[key] / most, height)).join('')}"/>`;
  const label = `${what}: ${count(calls)} calls in the last hour, ${count(errors)} of them failed`;
  const ground = html`<path class="rest" d="M0 ${String(height - 0.5)}h${String(minutes.length * step)}"/>`;
  return svg(
    minutes.length,
    height,
    label,
    html`${ground}${calls === 0 ? undefined : bars('calls')}${errors === 0 ? undefined : bars('errors')}`,
  );
}

/** The median of each minute as a line, up to the 95th percentile as a band. */
export function latencyLine(minutes: readonly SeriesMinute[], what: string, height = 32): Html {
  const most = Math.max(1, ...minutes.map(({ p95 }) => p95 ?? 0));
  const y = (ms: number) => (height - 2 - (ms / most) * (height - 4)).toFixed(1);
  const seen = minutes.flatMap(({ p50, p95 }, index) =>
    p50 === undefined || p95 === undefined ? [] : [{ at: (index + 0.4) * step, p50, p95 }],
  );
  const line = (pick: (point: (typeof seen)[number]) => number) =>
    seen.map((point) => `${point.at.toFixed(1)},${y(pick(point))}`);
  const band = [...line(({ p95 }) => p95), ...line(({ p50 }) => p50).reverse()].join(' ');
  const last = seen.at(-1);
  const marks =
    last === undefined
      ? html`<path class="rest" d="M0 ${String(height - 1)}h${String(minutes.length * step)}"/>`
      : html`<polygon class="band" points="${band}"/><polyline class="median" points="${line(({ p50 }) => p50).join(' ')}"/><path class="now" d="M${last.at.toFixed(1)} ${y(last.p50)}h0"/>`;
  const label =
    last === undefined
      ? `${what}: no calls in the last hour`
      : `${what}: median ${duration(last.p50)} at last, at most ${duration(most)} for 95 of 100 calls of a minute`;
  return svg(minutes.length, height, label, marks);
}

/** The gates of one call, one below the other, each as long as it took. */
export function timeBar(fromMs: number, toMs: number, wholeMs: number): Html {
  const whole = Math.max(wholeMs, 0.001);
  const left = (fromMs / whole) * 100;
  const width = Math.max(0.6, ((toMs - fromMs) / whole) * 100);
  return html`<svg class="time" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="track" x="0" y="3" width="100" height="2"/><rect class="took" x="${Math.min(left, 99.4).toFixed(2)}" y="0" width="${Math.min(width, 100 - Math.min(left, 99.4)).toFixed(2)}" height="8"/></svg>`;
}

function svg(points: number, height: number, label: string, content: Html): Html {
  return html`<svg class="chart" viewBox="0 0 ${String(points * step)} ${String(height)}" preserveAspectRatio="none" role="img" aria-label="${label}"><title>${label}</title>${content}</svg>`;
}

function bar(index: number, part: number, height: number): string {
  if (part === 0) return '';
  const tall = Math.max(2, part * height).toFixed(1);
  return `M${index * step} ${height}v-${tall}h${step - gap}v${tall}z`;
}

function sum(minutes: readonly SeriesMinute[], key: 'calls' | 'errors'): number {
  return minutes.reduce((total, minute) => total + minute[key], 0);
}
