/** Remembers which tokens were acted upon. */
export interface SeenIds {
  has(id: string): boolean;
  add(id: string): void;
}

/** At most `maxEntries`; the oldest are forgotten. Acting twice does no harm: it revokes what is revoked already. */
export function createSeenIds(maxEntries: number): SeenIds {
  const half = Math.max(1, Math.floor(maxEntries / 2));
  let newer = new Set<string>();
  let older = new Set<string>();
  return {
    has: (id) => newer.has(id) || older.has(id),
    add(id) {
      if (newer.size >= half) {
        older = newer;
        newer = new Set();
      }
      newer.add(id);
    },
  };
}
