// Under Bun the bare name `undici` is a built-in that ignores pools, time-outs and look-ups without an error.
import { type Dispatcher, Pool } from 'undici-http';
import type { TransportOptions } from './transport.ts';

export interface Pools {
  /** The pool of one origin and key; undefined once closed. */
  get(origin: string, key: string | undefined): Dispatcher | undefined;
  close(): Promise<void>;
}

/** Keep-alive connections per (origin, key), at most `maxPools` of them; the one unused for longest is closed first. */
export function createPools(options: TransportOptions): Pools {
  const pools = new Map<string, Pool>();
  let isClosed = false;

  function open(origin: string): Pool {
    return new Pool(origin, {
      connections: options.maxConnections,
      pipelining: 1,
      // The exchange keeps one deadline over head and body; these two would only cut it short.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: options.maxHeadBytes,
      connectTimeout: options.connectTimeoutMs,
      connect: {
        ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
        ...(options.ca === undefined ? {} : { ca: options.ca }),
      },
    });
  }

  function evictOldest(): void {
    for (const [id, pool] of pools) {
      pools.delete(id);
      void pool.close();
      return;
    }
  }

  return {
    get(origin, key) {
      if (isClosed) return undefined;
      const id = key === undefined ? origin : `${origin} ${key}`;
      const known = pools.get(id);
      if (known !== undefined) {
        pools.delete(id);
        pools.set(id, known);
        return known;
      }
      if (pools.size >= options.maxPools) evictOldest();
      const pool = open(origin);
      pools.set(id, pool);
      return pool;
    },
    async close() {
      isClosed = true;
      const all = [...pools.values()];
      pools.clear();
      await Promise.all(all.map((pool) => pool.destroy()));
    },
  };
}
