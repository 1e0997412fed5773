import type { Clock } from '#kernel/clock.ts';

export interface Limiter {
  /** Takes one call from `key`'s allowance. 0: allowed; else the whole seconds until one is free again. */
  take(key: string, perMinute: number): number;
  /** What `take` would give, with nothing taken. */
  peek(key: string, perMinute: number): number;
  close(): void;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket per key, in process: a full minute's allowance as burst, refilled evenly. At most `maxKeys` are remembered. */
export function createLimiter(clock: Clock, maxKeys = 100_000): Limiter {
  const buckets = new Map<string, Bucket>();

  function forgetOldest(): void {
    if (buckets.size < maxKeys) return;
    const oldest = buckets.keys().next();
    if (!oldest.done) buckets.delete(oldest.value);
  }

  const waitSeconds = (tokens: number, perMinute: number) =>
    tokens >= 1 ? 0 : Math.max(1, Math.ceil(((1 - tokens) / perMinute) * 60));

  /** What the bucket holds by now. */
  const refilled = (bucket: Bucket, now: number, perMinute: number) =>
    Math.min(perMinute, bucket.tokens + Math.max(0, now - bucket.at) * (perMinute / 60_000));

  return {
    take(key, perMinute) {
      const now = clock.monotonic();
      const bucket = buckets.get(key);
      if (bucket === undefined) {
        forgetOldest();
        buckets.set(key, { tokens: perMinute - 1, at: now });
        return perMinute >= 1 ? 0 : 60;
      }
      bucket.tokens = refilled(bucket, now, perMinute);
      bucket.at = now;
      const wait = waitSeconds(bucket.tokens, perMinute);
      if (wait === 0) bucket.tokens -= 1;
      return wait;
    },
    peek(key, perMinute) {
      const bucket = buckets.get(key);
      return bucket === undefined
        ? 0
        : waitSeconds(refilled(bucket, clock.monotonic(), perMinute), perMinute);
    },
    close() {
      buckets.clear();
    },
  };
}
