import { createRecentRecords, type RecentRecord, type RecentRecords } from '#audit/recent-records.ts';
import { type ChangeHistory, createChangeHistory } from '#catalog/change-history.ts';
import type { Config } from '#config/config.ts';
import { type CallPath, createCallPath } from '#kernel/call-path.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import { type BackendSeries, createBackendSeries } from '#observability/backend-series.ts';

/** What the operators' console shows of the last hour; all of it in memory, and bounded. */
export interface Watched {
  readonly records: RecentRecords;
  readonly series: BackendSeries;
  readonly history: ChangeHistory;
  /** Begins to watch a call. */
  readonly call: () => CallPath;
  readonly recorded: (record: RecentRecord) => void;
  readonly polled: (backend: BackendId, ms: number, isGood: boolean) => void;
}

/** Undefined where there is no operators' listener: then calls pay nothing for being watched. */
export function createWatched(config: Config, clock: Clock): Watched | undefined {
  if (config.admin.listen === undefined) return undefined;
  const records = createRecentRecords(limits.maxRecentRecords);
  const series = createBackendSeries(clock);
  return {
    records,
    series,
    history: createChangeHistory(clock, limits.maxCatalogChanges),
    call: () => createCallPath(clock),
    recorded(record) {
      records.add(record);
      const { backend, outcome, ms } = record.fields;
      if (record.kind !== 'call' || typeof backend !== 'string' || typeof ms !== 'number') return;
      series.called(backend, ms, outcome === 'error');
    },
    polled: series.polled,
  };
}
