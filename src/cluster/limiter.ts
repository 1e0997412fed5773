import type { Clock } from '#kernel/clock.ts';

export interface Limiter {
  /** Takes one call from `key`'s allowance. 0: allowed; else the whole seconds until one is free again. */
  take(key: string, perMinute: number): number;
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

  return {
    take(key, perMinute) {
      const now = clock.monotonic();
      const perMs = perMinute / 60_000;
      const bucket = buckets.get(key);
      if (bucket === undefined) {
        forgetOldest();
        buckets.set(key, { tokens: perMinute - 1, at: now });
        return perMinute >= 1 ? 0 : 60;
      }
      bucket.tokens = Math.min(perMinute, bucket.tokens + Math.max(0, now - bucket.at) * perMs);
      bucket.at = now;
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return 0;
      }
      return Math.max(1, Math.ceil((1 - bucket.tokens) / perMs / 1000));
    },
    close() {
      buckets.clear();
    },
  };
}
