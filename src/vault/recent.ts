/** A map of at most `max` entries: what was used longest ago goes first. */
export interface Recent<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
  deleteAll(which: (key: string) => boolean): void;
  clear(): void;
}

export function createRecent<Value>(max: number): Recent<Value> {
  const entries = new Map<string, Value>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= max) return;
      const [oldest] = entries.keys();
      if (oldest !== undefined) entries.delete(oldest);
    },
    delete: (key) => void entries.delete(key),
    deleteAll(which) {
      for (const key of entries.keys()) if (which(key)) entries.delete(key);
    },
    clear: () => entries.clear(),
  };
}
