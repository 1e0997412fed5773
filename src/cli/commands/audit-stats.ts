import type { AuditBreak } from '#audit/audit-break.ts';
import { matches } from '#audit/reader.ts';
import { scanAudit } from '#audit/scan.ts';
import { type AuditStats, createAuditStats, type StatsKey, type StatsRow } from '#audit/stats.ts';
import { printable } from '#config/issue.ts';
import type { JsonObject } from '#kernel/json.ts';
import { warnOfBreak } from '../audit-break-text.ts';
import { filterOf } from '../audit-filter.ts';
import { findAudit } from '../audit-source.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, type Output } from '../output.ts';

const keys: readonly StatsKey[] = ['tool', 'backend', 'plan'];
/** A rule of thumb: models count differently. */
const bytesPerToken = 4;

/** Counts calls per tool, backend and plan. Exit code 1: the chain does not hold somewhere in what was read. */
export async function auditStats(invocation: Invocation): Promise<number> {
  const { options, output } = invocation;
  const filter = filterOf(options);
  const by = options.list('by');
  const chosen = keys.filter((key) => by.length === 0 || by.includes(key));
  const { dir, verifier } = await findAudit(invocation);
  const stats = createAuditStats();
  const found: AuditBreak[] = [];
  await output.during('reading the audit', () =>
    scanAudit({
      dir,
      verifier,
      since: filter.since,
      onRecord: (record) => matches(record, filter) && stats.add(record),
      onBreak: (broken) => found.push(broken),
    }),
  );
  for (const broken of found) warnOfBreak(output, broken);
  const breaks = found.length;
  if (output.isJson) output.document(statsJson(stats, chosen, breaks));
  else showStats(output, stats, chosen);
  return breaks === 0 ? exitCodes.done : exitCodes.no;
}

function showStats(output: Output, stats: AuditStats, chosen: readonly StatsKey[]): void {
  for (const key of chosen) {
    const rows = stats.rows(key);
    if (rows.length === 0) continue;
    const head = [key, 'calls', 'errors', 'refused', 'p50 ms', 'p95 ms', 'p99 ms', 'list tokens'];
    output.table({ head, rows: rows.map(cellsOf) });
    output.line('');
  }
  output.line(count(stats.total().calls, 'call'));
}

function cellsOf(row: StatsRow): readonly string[] {
  const { calls, outcomes, p50, p95, p99 } = row;
  const tokens = tokensPerList(row);
  const figures = [calls, outcomes.error, outcomes.refused, p50, p95, p99, tokens];
  return [printable(row.name), ...figures.map((figure) => (figure === undefined ? '-' : String(figure)))];
}

/** What one list of tools costs an agent. */
function tokensPerList({ lists, listBytes }: StatsRow): number | undefined {
  return lists === 0 ? undefined : Math.round(listBytes / lists / bytesPerToken);
}

function statsJson(stats: AuditStats, chosen: readonly StatsKey[], breaks: number): JsonObject {
  const tables = chosen.map((key) => [`by_${key}`, stats.rows(key).map(rowJson)] as const);
  return { total: rowJson(stats.total()), ...Object.fromEntries(tables), breaks };
}

function rowJson(row: StatsRow): JsonObject {
  const { name, calls, outcomes, p50, p95, p99, lists, listBytes } = row;
  return {
    name,
    calls,
    outcomes: { ...outcomes },
    p50_ms: p50 ?? null,
    p95_ms: p95 ?? null,
    p99_ms: p99 ?? null,
    lists,
    list_bytes: listBytes,
    tokens_per_list: tokensPerList(row) ?? null,
  };
}
