import type { AuditRecord } from '#audit/line.ts';
import type { JsonObject } from '#kernel/json.ts';
import { flatText } from './outside-text.ts';

/** A record as the view needs it; texts are safe to show. */
export interface AuditEntry {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly kind: string;
  readonly outcome: string;
  /** The tool, the act, or the method of a call that is of no tool. */
  readonly what: string;
  readonly backend: string;
  readonly user: string;
  readonly code: string;
  /** Undefined: it took no time, or nobody measured. */
  readonly ms: number | undefined;
  readonly fields: JsonObject;
  /** What a filter looks in, in small letters. */
  readonly searched: string;
}

export function auditEntry({ chain, seq, kind, time, fields }: AuditRecord): AuditEntry {
  const text = (name: string) => {
    const value = fields[name];
    return typeof value === 'string' ? flatText(value) : '';
  };
  const isCall = kind === 'call';
  const what = isCall
    ? text('tool') || text('method')
    : [kind, text('action') || text('event')].join(' ').trim();
  const entry = {
    key: `${chain} ${seq}`,
    time: Date.parse(time),
    kind: flatText(kind),
    outcome: isCall ? text('outcome') : '',
    what,
    backend: text('backend'),
    user: text('user'),
    code: text('code') === 'ok' ? '' : text('code'),
    ms: typeof fields.ms === 'number' ? fields.ms : undefined,
    fields,
  };
  const words = [
    entry.kind,
    what,
    entry.outcome,
    entry.backend,
    entry.user,
    entry.code,
    text('agent'),
    text('method'),
    text('plan'),
  ];
  return { ...entry, searched: words.join('\n').toLowerCase() };
}

/** How the calls of a span of time went, in equal parts of it. */
export interface Series {
  readonly calls: readonly number[];
  readonly errors: readonly number[];
  readonly refused: readonly number[];
}

/** The calls of `(until - spanMs, until]`, in so many parts, the newest last. */
export function seriesOf(
  entries: readonly AuditEntry[],
  until: number,
  spanMs: number,
  parts: number,
): Series {
  const empty = () => Array.from({ length: parts }, () => 0);
  const [calls, errors, refused] = [empty(), empty(), empty()];
  for (const { time, kind, outcome } of entries) {
    const at = parts - 1 - Math.floor(((until - time) / spanMs) * parts);
    if (kind !== 'call' || at < 0 || at >= parts) continue;
    calls[at] = (calls[at] ?? 0) + 1;
    if (outcome === 'error') errors[at] = (errors[at] ?? 0) + 1;
    if (outcome === 'refused') refused[at] = (refused[at] ?? 0) + 1;
  }
  return { calls, errors, refused };
}

/** The calls of one tool. */
export interface ToolRow {
  readonly name: string;
  readonly calls: number;
  readonly failed: number;
  readonly p50: number | undefined;
  readonly p95: number | undefined;
}

export function toolRows(entries: readonly AuditEntry[]): readonly ToolRow[] {
  const tools = new Map<string, { calls: number; failed: number; readonly times: number[] }>();
  for (const { kind, what, outcome, ms } of entries) {
    if (kind !== 'call' || what === '') continue;
    const row = tools.get(what) ?? { calls: 0, failed: 0, times: [] };
    row.calls += 1;
    if (outcome === 'error' || outcome === 'refused') row.failed += 1;
    if (ms !== undefined && outcome !== 'refused') row.times.push(ms);
    tools.set(what, row);
  }
  return [...tools].map(([name, { calls, failed, times }]) => {
    times.sort((a, b) => a - b);
    return { name, calls, failed, p50: quantile(times, 0.5), p95: quantile(times, 0.95) };
  });
}

function quantile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** How often each code was the answer, the most frequent first. */
export function codeRows(
  entries: readonly AuditEntry[],
): readonly { readonly code: string; readonly outcome: string; readonly count: number }[] {
  const codes = new Map<string, { readonly outcome: string; count: number }>();
  for (const { code, outcome } of entries) {
    if (code === '' || (outcome !== 'refused' && outcome !== 'error')) continue;
    const row = codes.get(code) ?? { outcome, count: 0 };
    row.count += 1;
    codes.set(code, row);
  }
  return [...codes]
    .map(([code, row]) => ({ code, ...row }))
    .sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
}
