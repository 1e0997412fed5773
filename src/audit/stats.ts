import { type JsonObject, stringAt } from '#kernel/json.ts';
import { createLatencies, type Latencies } from './latencies.ts';
import type { AuditRecord } from './line.ts';
import type { CallOutcome } from './record.ts';

/** What calls are counted by. */
export type StatsKey = 'tool' | 'backend' | 'plan';

/** The calls of one tool, backend or plan. */
export interface StatsRow {
  readonly name: string;
  readonly calls: number;
  readonly outcomes: Readonly<Record<CallOutcome, number>>;
  /** Of calls that were not refused; undefined where there is none. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
  /** Lists that were served. */
  readonly lists: number;
  readonly listBytes: number;
}

export interface AuditStats {
  add(record: AuditRecord): void;
  /** Of all calls. */
  total(): StatsRow;
  /** The one with the most calls first. */
  rows(key: StatsKey): readonly StatsRow[];
}

const outcomes: readonly CallOutcome[] = ['ok', 'error', 'refused', 'cancelled', 'input_required'];
/** Clients choose names freely: beyond so many they are counted together. */
const maxRows = 5_000;
const others = '(others)';

export function createAuditStats(): AuditStats {
  const total = createTally('all');
  const tables: Readonly<Record<StatsKey, Map<string, Tally>>> = {
    tool: new Map(),
    backend: new Map(),
    plan: new Map(),
  };

  function tallyOf(table: Map<string, Tally>, name: string): Tally {
    const kept = table.size < maxRows || table.has(name) ? name : others;
    const tally = table.get(kept) ?? createTally(kept);
    table.set(kept, tally);
    return tally;
  }

  return {
    add({ kind, fields }) {
      if (kind !== 'call') return;
      total.add(fields);
      const tool = toolOf(fields);
      const backend = stringAt(fields, 'backend');
      if (tool !== undefined) tallyOf(tables.tool, tool).add(fields);
      if (backend !== undefined) tallyOf(tables.backend, backend).add(fields);
      tallyOf(tables.plan, stringAt(fields, 'plan') ?? '(none)').add(fields);
    },
    total: () => total.row(),
    rows: (key) => [...tables[key].values()].map((tally) => tally.row()).sort((a, b) => b.calls - a.calls),
  };
}

/** The tool; of what is none, with its method. */
function toolOf(fields: JsonObject): string | undefined {
  const tool = stringAt(fields, 'tool');
  const method = stringAt(fields, 'method');
  return tool === undefined || method === 'tools/call' ? tool : `${method} ${tool}`;
}

interface Tally {
  add(fields: JsonObject): void;
  row(): StatsRow;
}

function createTally(name: string): Tally {
  const counts: Record<CallOutcome, number> = {
    ok: 0,
    error: 0,
    refused: 0,
    cancelled: 0,
    input_required: 0,
  };
  const latencies: Latencies = createLatencies();
  let calls = 0;
  let lists = 0;
  let listBytes = 0;
  return {
    add({ outcome, ms, list_bytes: bytes }) {
      calls += 1;
      const known = outcomes.find((one) => one === outcome);
      if (known !== undefined) counts[known] += 1;
      if (typeof ms === 'number' && known !== 'refused') latencies.add(ms);
      if (typeof bytes !== 'number') return;
      lists += 1;
      listBytes += bytes;
    },
    row: () => ({
      name,
      calls,
      outcomes: { ...counts },
      p50: latencies.quantile(0.5),
      p95: latencies.quantile(0.95),
      p99: latencies.quantile(0.99),
      lists,
      listBytes,
    }),
  };
}
