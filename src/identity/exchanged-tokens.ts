import type { Deniable } from '#auth/denied.ts';
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
  get(key: string, owner: Deniable, make: () => Promise<Made<T>>): T | Promise<T>;
  forget(key: string, ifIt: (value: T) => boolean): void;
  /** Those of owners who are denied; what is being made for one is not kept. */
  forgetDenied(isDenied: (owner: Deniable) => boolean): void;
}

interface Entry<T> {
  readonly value: T;
  readonly owner: Deniable;
  readonly until: number;
}

/** Long enough that a crowd asks once, short enough that nobody notices. */
const shortMs = 2_000;
const maxMarginSeconds = 30;

/** Bounded as verified tokens are: entries in use move from `older` to `newer`, and a full `newer` becomes `older`. */
export function createExchangedTokens<T>(clock: Clock): ExchangedTokens<T> {
  const half = limits.maxVerifiedTokens / 2;
  const pending = new Map<string, { readonly owner: Deniable; readonly making: Promise<T> }>();
  let newer = new Map<string, Entry<T>>();
  let older: typeof newer = new Map();

  function remember(key: string, entry: Entry<T>): void {
    if (newer.size >= half) {
      older = newer;
      newer = new Map();
    }
    newer.set(key, entry);
  }

  function find(key: string): Entry<T> | undefined {
    const recent = newer.get(key);
    const entry = recent ?? older.get(key);
    if (entry === undefined || entry.until <= clock.monotonic()) return undefined;
    if (recent === undefined) remember(key, entry);
    return entry;
  }

  async function makeOnce(key: string, owner: Deniable, make: () => Promise<Made<T>>): Promise<T> {
    const startedAt = clock.monotonic();
    try {
      const { value, lifetimeSeconds } = await make();
      const isWanted = pending.get(key)?.owner === owner;
      if (isWanted) remember(key, { value, owner, until: startedAt + keepMs(lifetimeSeconds) });
      return value;
    } finally {
      if (pending.get(key)?.owner === owner) pending.delete(key);
    }
  }

  return {
    get(key, owner, make) {
      const entry = find(key);
      if (entry !== undefined) return entry.value;
      const underWay = pending.get(key);
      if (underWay !== undefined) return underWay.making;
      const making = makeOnce(key, owner, make);
      pending.set(key, { owner, making });
      return making;
    },
    forget(key, ifIt) {
      for (const entries of [newer, older]) {
        const entry = entries.get(key);
        if (entry !== undefined && ifIt(entry.value)) entries.delete(key);
      }
    },
    forgetDenied(isDenied) {
      for (const entries of [newer, older, pending]) {
        for (const [key, { owner }] of entries) if (isDenied(owner)) entries.delete(key);
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
