import type { Clock } from '#kernel/clock.ts';
import type { Principal } from '#kernel/principal.ts';
import type { WireOwner } from './channel.ts';
import type { Connection } from './connection.ts';
import type { Live } from './live.ts';

/** A connection, and what is heard over it. */
export interface Seat {
  readonly owner: WireOwner;
  readonly connection: Connection;
  readonly live: Live;
}

/** The connections to one server, by whose they are. */
export interface Pool {
  /** The owner's, made where there is none. Undefined: there are too many, and all are in use. */
  seat(owner: WireOwner): Seat | undefined;
  /** Closes a principal's connection, or with undefined nobody's: what it was opened with is not theirs any more. */
  drop(key: string | undefined): void;
  /** Closes the connections, and with them the processes, that were opened for a token that is denied. */
  endDenied(isDenied: (owner: Principal) => boolean): void;
  size(): number;
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly maxSeats: number;
  readonly idleMs: number;
  /** One for everyone, whoever asks. */
  readonly isShared: boolean;
  /** Nothing is opened for such a token, and what was serves nobody. */
  readonly isDenied: (owner: Principal) => boolean;
}

interface Entry {
  readonly seat: Seat;
  lastUse: number;
}

const sweepMs = 15_000;
/** Whose key it is when it is nobody's; no principal has this one. */
const nobody = '';

/** Bounded: what has been idle for `idleMs` is closed, and where a place is needed the one that was used least recently. */
export function createPool(options: PoolOptions, clock: Clock, make: (owner: WireOwner) => Seat): Pool {
  const entries = new Map<string, Entry>();
  const ending = new Set<Promise<void>>();
  const sweeper = setInterval(sweep, sweepMs).unref();
  let sweptAt = clock.monotonic();
  let isClosed = false;

  function end(key: string, { seat }: Entry): void {
    entries.delete(key);
    seat.live.close();
    const ended = seat.connection.close().finally(() => ending.delete(ended));
    ending.add(ended);
  }

  function isIdle({ seat }: Entry): boolean {
    return !seat.live.isFollowing() && seat.connection.inFlight() <= seat.live.streams();
  }

  function sweep(): void {
    sweptAt = clock.monotonic();
    const before = clock.monotonic() - options.idleMs;
    for (const [key, entry] of entries) {
      if (key !== nobody && entry.lastUse < before && isIdle(entry)) end(key, entry);
    }
  }

  /** The map is in the order of use, so the first idle one is the least recently used. */
  function makeRoom(): boolean {
    if (entries.size < options.maxSeats) return true;
    for (const [key, entry] of entries) {
      if (key === nobody || !isIdle(entry)) continue;
      end(key, entry);
      return true;
    }
    return false;
  }

  /** The one that is there; one of a user's earlier sign-in that was taken back makes room for this one's. */
  function usable(key: string): Entry | undefined {
    const entry = entries.get(key);
    const owner = entry?.seat.owner;
    if (entry === undefined || owner === undefined || !options.isDenied(owner)) return entry;
    end(key, entry);
    return undefined;
  }

  return {
    seat(owner) {
      if (isClosed) return undefined;
      if (clock.monotonic() - sweptAt >= sweepMs) sweep();
      const held = options.isShared ? undefined : owner;
      const key = held?.key ?? nobody;
      if (held !== undefined && options.isDenied(held)) return undefined;
      const known = usable(key);
      if (known === undefined && !makeRoom()) return undefined;
      const entry = known ?? { seat: make(held), lastUse: 0 };
      entry.lastUse = clock.monotonic();
      entries.delete(key);
      entries.set(key, entry);
      return entry.seat;
    },
    drop(key = nobody) {
      const entry = entries.get(key);
      if (entry !== undefined) end(key, entry);
    },
    endDenied(isDenied) {
      for (const [key, entry] of [...entries]) {
        const { owner } = entry.seat;
        if (owner !== undefined && isDenied(owner)) end(key, entry);
      }
    },
    size: () => entries.size,
    async close() {
      isClosed = true;
      clearInterval(sweeper);
      for (const [key, entry] of [...entries]) end(key, entry);
      await Promise.all(ending);
    },
  };
}
