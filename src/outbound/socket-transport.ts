import type { Connection } from './connection.ts';
import { type ConnectionPool, createConnectionPool, type Waiter } from './connection-pool.ts';
import { createRequestHead } from './request-head.ts';
import type { Target } from './target.ts';
import type { Transport, TransportOptions } from './transport.ts';

const sweepMs = 1_000;

interface Entry {
  readonly pool: ConnectionPool;
  lastUse: number;
}

/** HTTP/1.1 over sockets of our own, pooled per origin and key: one request at a time on a connection, never pipelined. */
export function createSocketTransport(options: TransportOptions): Transport {
  const pools = new Map<string, Entry>();
  const retired = new Set<ConnectionPool>();
  const requestHead = createRequestHead();
  let uses = 0;
  let sweeper: ReturnType<typeof setInterval> | undefined;
  let isClosed = false;

  function poolOf(target: Target, key: string | undefined): ConnectionPool {
    const id = key === undefined ? target.origin : `${target.origin} ${key}`;
    uses += 1;
    const known = pools.get(id);
    if (known !== undefined) {
      known.lastUse = uses;
      return known.pool;
    }
    if (pools.size >= options.maxPools) retireOldest();
    sweeper ??= setInterval(sweep, sweepMs).unref();
    const pool = createConnectionPool(target, options);
    pools.set(id, { pool, lastUse: uses });
    return pool;
  }

  function retireOldest(): void {
    const [oldest] = [...pools].sort(([, a], [, b]) => a.lastUse - b.lastUse);
    if (oldest === undefined) return;
    const [id, { pool }] = oldest;
    pools.delete(id);
    retired.add(pool);
    pool.retire();
  }

  function sweep(): void {
    for (const { pool } of pools.values()) pool.sweep();
    for (const pool of retired) if (pool.isEmpty()) retired.delete(pool);
  }

  return {
    send(target, request, sink) {
      const body = request.body ?? '';
      const bodyBytes = Buffer.byteLength(body);
      const head = requestHead(target, request, bodyBytes);
      if (head === undefined || isClosed) {
        if (isClosed) sink.fails('cancelled', 'closed');
        else sink.fails('invalid_request', 'header');
        return () => {};
      }
      const pool = poolOf(target, request.pool);
      let carrier: Connection | undefined;
      const waiter: Waiter = {
        ready(connection) {
          if (!sink.starts()) return false;
          carrier = connection;
          connection.send(head + body, head.length + bodyBytes, sink);
          return true;
        },
        failed: (reason, detail) => sink.fails(reason, detail),
      };
      pool.acquire(waiter);
      return () => {
        if (carrier === undefined) pool.forget(waiter);
        else carrier.giveUp(sink);
      };
    },
    async close() {
      isClosed = true;
      clearInterval(sweeper);
      for (const { pool } of pools.values()) pool.close();
      for (const pool of retired) pool.close();
      pools.clear();
      retired.clear();
    },
  };
}
