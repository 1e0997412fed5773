import type { Clock } from '#kernel/clock.ts';

/** What one minute held. */
export interface SeriesMinute {
  readonly calls: number;
  readonly errors: number;
  /** Milliseconds, within 20 %; undefined where there was no call. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
}

export interface LastPoll {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly ms: number;
  readonly isGood: boolean;
}

/** The last hour of one backend, or of all of them. */
export interface BackendHour {
  /** Oldest first, one for each of the sixty minutes; the last is the one that runs. */
  readonly minutes: readonly SeriesMinute[];
  readonly calls: number;
  readonly errors: number;
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly lastPoll: LastPoll | undefined;
}

/** How each backend did, minute by minute for an hour. In memory: at most `maxBackends`, the one that was met first goes. */
export interface BackendSeries {
  called(backend: string, ms: number, isError: boolean): void;
  polled(backend: string, ms: number, isGood: boolean): void;
  hour(backend: string): BackendHour;
  /** Of all backends together. */
  total(): BackendHour;
}

const minuteMs = 60_000;
const minutesKept = 60;
const leastMs = 0.1;
const width = Math.log(1.4);
/** From a tenth of a millisecond to more than a call may take. */
const buckets = 42;

interface Minute {
  readonly minute: number;
  calls: number;
  errors: number;
  readonly counts: Uint32Array;
}
interface Series {
  /** By minute modulo sixty; made when something happens in it. */
  readonly minutes: (Minute | undefined)[];
  lastPoll: LastPoll | undefined;
}

export function createBackendSeries(clock: Clock, maxBackends = 2_000): BackendSeries {
  const series = new Map<string, Series>();
  const all: Series = { minutes: [], lastPoll: undefined };
  const minuteNow = () => Math.floor(clock.now() / minuteMs);

  function of(backend: string): Series {
    const known = series.get(backend);
    if (known !== undefined) return known;
    const [first] = series.keys();
    if (series.size >= maxBackends && first !== undefined) series.delete(first);
    const made: Series = { minutes: [], lastPoll: undefined };
    series.set(backend, made);
    return made;
  }

  return {
    called(backend, ms, isError) {
      const minute = minuteNow();
      for (const one of [of(backend), all]) count(one, minute, ms, isError);
    },
    polled(backend, ms, isGood) {
      of(backend).lastPoll = { at: clock.now(), ms, isGood };
    },
    hour: (backend) => hourOf(series.get(backend), minuteNow()),
    total: () => hourOf(all, minuteNow()),
  };
}

function count({ minutes }: Series, minute: number, ms: number, isError: boolean): void {
  const place = minute % minutesKept;
  let current = minutes[place];
  if (current?.minute !== minute) {
    current = { minute, calls: 0, errors: 0, counts: new Uint32Array(buckets) };
    minutes[place] = current;
  }
  current.calls += 1;
  if (isError) current.errors += 1;
  const bucket = Math.round(Math.log(Math.max(ms, leastMs) / leastMs) / width);
  const at = Math.min(bucket, buckets - 1);
  current.counts[at] = (current.counts[at] ?? 0) + 1;
}

function hourOf(series: Series | undefined, now: number): BackendHour {
  const sum = new Uint32Array(buckets);
  let calls = 0;
  let errors = 0;
  const minutes: SeriesMinute[] = [];
  for (let minute = now - minutesKept + 1; minute <= now; minute += 1) {
    const kept = series?.minutes[minute % minutesKept];
    const one = kept?.minute === minute ? kept : undefined;
    calls += one?.calls ?? 0;
    errors += one?.errors ?? 0;
    for (let at = 0; one !== undefined && at < buckets; at += 1)
      sum[at] = (sum[at] ?? 0) + (one.counts[at] ?? 0);
    minutes.push({
      calls: one?.calls ?? 0,
      errors: one?.errors ?? 0,
      p50: one && quantile(one.counts, one.calls, 0.5),
      p95: one && quantile(one.counts, one.calls, 0.95),
    });
  }
  const [p50, p95] = [quantile(sum, calls, 0.5), quantile(sum, calls, 0.95)];
  return { minutes, calls, errors, p50, p95, lastPoll: series?.lastPoll };
}

function quantile(counts: Uint32Array, total: number, share: number): number | undefined {
  let left = Math.max(1, Math.ceil(share * total));
  for (let at = 0; at < buckets; at += 1) {
    left -= counts[at] ?? 0;
    if (left <= 0) return Number((leastMs * Math.exp(at * width)).toPrecision(2));
  }
  return undefined;
}
