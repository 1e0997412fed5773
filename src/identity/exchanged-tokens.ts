import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';

interface Made<T> {
  readonly value: T;
  /** Undefined: it is kept only as long as a failure is. */
  readonly lifetimeSeconds: number | undefined;
}

/** What was made at some cost, until shortly before it is of no more use; made once however many ask at a time. */
export interface ExchangedTokens<T> {
  /** Without a promise where it is there. */
  get(key: string, make: () => Promise<Made<T>>): T | Promise<T>;
  forget(key: string, ifIt: (value: T) => boolean): void;
}

/** Long enough that a crowd asks once, short enough that nobody notices. */
const shortMs = 2_000;
const maxMarginSeconds = 30;

/** Bounded as verified tokens are: entries in use move from `older` to `newer`, and a full `newer` becomes `older`. */
export function createExchangedTokens<T>(clock: Clock): ExchangedTokens<T> {
  const half = limits.maxVerifiedTokens / 2;
  const pending = new Map<string, Promise<T>>();
  let newer = new Map<string, { readonly value: T; readonly until: number }>();
  let older: typeof newer = new Map();

  function remember(key: string, entry: { readonly value: T; readonly until: number }): void {
    if (newer.size >= half) {
      older = newer;
      newer = new Map();
    }
    newer.set(key, entry);
  }

  function find(key: string): { readonly value: T; readonly until: number } | undefined {
    const recent = newer.get(key);
    const entry = recent ?? older.get(key);
    if (entry === undefined || entry.until <= clock.monotonic()) return undefined;
    if (recent === undefined) remember(key, entry);
    return entry;
  }

  async function makeOnce(key: string, make: () => Promise<Made<T>>): Promise<T> {
    const startedAt = clock.monotonic();
    try {
      const { value, lifetimeSeconds } = await make();
      remember(key, { value, until: startedAt + keepMs(lifetimeSeconds) });
      return value;
    } finally {
      pending.delete(key);
    }
  }

  return {
    get(key, make) {
      const entry = find(key);
      if (entry !== undefined) return entry.value;
      const underWay = pending.get(key) ?? makeOnce(key, make);
      pending.set(key, underWay);
      return underWay;
    },
    forget(key, ifIt) {
      for (const entries of [newer, older]) {
        const entry = entries.get(key);
        if (entry !== undefined && ifIt(entry.value)) entries.delete(key);
      }
    },
  };
}

/** A fifth of its life, 30 s at most, is left for the way to the backend and for clocks that differ. */
function keepMs(lifetimeSeconds: number | undefined): number {
  if (lifetimeSeconds === undefined) return shortMs;
  const margin = Math.min(maxMarginSeconds, lifetimeSeconds / 5);
  return Math.max(0, lifetimeSeconds - margin) * 1_000;
}
