import type { PassedGate } from '#kernel/call-path.ts';
import type { JsonObject } from '#kernel/json.ts';

/** A record as it was just written, without what links it to the one before. */
export interface RecentRecord {
  readonly kind: string;
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly fields: JsonObject;
  /** Of a call, where it was watched: the gates it passed. In memory alone. */
  readonly path: readonly PassedGate[] | undefined;
}

/** The newest records of this process, for whoever watches it live; older ones are in the files alone. */
export interface RecentRecords {
  add(record: RecentRecord): void;
  /** Newest first, at most `count` of those that `isWanted`. */
  newest(count: number, isWanted: (record: RecentRecord) => boolean): readonly RecentRecord[];
  find(seq: number): RecentRecord | undefined;
}

export function createRecentRecords(maxRecords: number): RecentRecords {
  const ring: RecentRecord[] = [];
  let next = 0;

  /** The newest is 0. */
  const at = (age: number) => ring[(next - 1 - age + 2 * maxRecords) % maxRecords];

  return {
    add(record) {
      ring[next] = record;
      next = (next + 1) % maxRecords;
    },
    newest(count, isWanted) {
      const found: RecentRecord[] = [];
      for (let age = 0; age < ring.length && found.length < count; age += 1) {
        const record = at(age);
        if (record !== undefined && isWanted(record)) found.push(record);
      }
      return found;
    },
    find: (seq) => ring.find((record) => record.seq === seq),
  };
}
