/** Counts durations in buckets that are 2 % wide, so that any number of them takes the same memory. */
export interface Latencies {
  add(ms: number): void;
  /** The duration that the given share (0 to 1) did not exceed, within 1 %; undefined where there is none. */
  quantile(share: number): number | undefined;
}

const width = Math.log(1.02);
const leastMs = 0.01;

export function createLatencies(): Latencies {
  const buckets = new Map<number, number>();
  let count = 0;
  return {
    add(ms) {
      const bucket = Math.round(Math.log(Math.max(ms, leastMs) / leastMs) / width);
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      count += 1;
    },
    quantile(share) {
      let left = Math.max(1, Math.ceil(share * count));
      for (const [bucket, size] of [...buckets].sort(([one], [other]) => one - other)) {
        left -= size;
        if (left <= 0) return Number((leastMs * Math.exp(bucket * width)).toPrecision(3));
      }
      return undefined;
    },
  };
}
