import { limits } from '#kernel/limits.ts';

/** How long to wait after so many failures in a row: doubling, with a random half, never beyond the bound. */
export function backoffMs(failures: number, wishedMs: number | undefined, random: () => number): number {
  const firstMs = Math.min(Math.max(wishedMs ?? 0, limits.feedBackoffMs), limits.maxFeedBackoffMs);
  const fullMs = Math.min(firstMs * 2 ** Math.min(failures, 16), limits.maxFeedBackoffMs);
  return fullMs * (0.5 + random() / 2);
}
