import { connect } from './connect.ts';
import type { Connection } from './connection.ts';
import type { OutboundFailure } from './outbound.ts';
import type { Target } from './target.ts';
import type { TransportOptions } from './transport.ts';

/** Somebody who wants to send one request. */
export interface Waiter {
  /** Sends it. False: it was given up, and the connection is free for somebody else. */
  ready(connection: Connection): boolean;
  failed(reason: OutboundFailure['reason'], detail: string): void;
}

/** The connections of one origin and key. */
export interface ConnectionPool {
  acquire(waiter: Waiter): void;
  /** Takes a waiter out of the queue. */
  forget(waiter: Waiter): void;
  /** Called each second: closes what has been idle for too long. */
  sweep(): void;
  /** Requests in hand are finished; then nothing is kept. */
  retire(): void;
  isEmpty(): boolean;
  close(): void;
}

/** A connection, and the sweep at which it has been idle for long enough. */
interface Slot {
  connection: Connection | undefined;
  /** For whom it is being made. */
  maker: Waiter | undefined;
  expiresAt: number;
}

/** Shorter than what servers commonly allow, so that it is seldom them who close. */
const idleSeconds = 4;

/**
 * A request waits until the event loop has polled its sockets once more. Whatever a server sent unasked before the
 * request was made has been read by then, has closed its connection, and cannot pass for the answer.
 */
export function createConnectionPool(target: Target, options: TransportOptions): ConnectionPool {
  const slots = new Set<Slot>();
  /** Waiters, in order, with the turn in which they came. */
  const waiting = new Map<Waiter, number>();
  /** The one used last comes first: the rest may expire. */
  let idle: Slot[] = [];
  let turn = 0;
  let sweeps = 0;
  let isTurnDue = false;
  let isRetired = false;
  let isClosed = false;

  const mayOpen = () => slots.size < options.maxConnections;

  function takeIdle(): Slot | undefined {
    for (let slot = idle.pop(); slot !== undefined; slot = idle.pop()) {
      if (slot.connection?.isIdle()) return slot;
    }
    return undefined;
  }

  function hand(slot: Slot, connection: Connection, waiter: Waiter): void {
    if (isClosed) connection.close('cancelled', 'closed');
    else if (!waiter.ready(connection)) rest(slot);
  }

  function rest(slot: Slot): void {
    const seconds = Math.min(idleSeconds, (slot.connection?.keepAliveSeconds() ?? 600) - 1);
    if (isClosed || seconds < 1 || (isRetired && waiting.size === 0)) {
      slot.connection?.close('cancelled', 'closed');
      return;
    }
    slot.expiresAt = sweeps + seconds;
    idle.push(slot);
    requestTurn();
  }

  function open(waiter: Waiter): void {
    const slot: Slot = { connection: undefined, maker: waiter, expiresAt: 0 };
    slots.add(slot);
    const closed = (): void => {
      slots.delete(slot);
      requestTurn();
    };
    void connect(
      target,
      options,
      {
        opened(connection) {
          slot.connection = connection;
          slot.maker = undefined;
          hand(slot, connection, waiter);
        },
        failed(reason, detail) {
          closed();
          waiter.failed(reason, detail);
        },
      },
      { idle: () => rest(slot), closed },
    );
  }

  function requestTurn(): void {
    if (isTurnDue || waiting.size === 0) return;
    if (idle.length === 0 && !mayOpen()) return;
    isTurnDue = true;
    // An immediate runs before the next poll, so there is a poll between two of them.
    setImmediate(takeTurn);
  }

  function takeTurn(): void {
    isTurnDue = false;
    serve();
    turn += 1;
    requestTurn();
  }

  function serve(): void {
    for (const [waiter, since] of waiting) {
      if (since === turn) return;
      const slot = takeIdle();
      if (slot === undefined && !mayOpen()) return;
      waiting.delete(waiter);
      if (slot?.connection === undefined) open(waiter);
      else hand(slot, slot.connection, waiter);
    }
  }

  return {
    acquire(waiter) {
      if (isClosed) return waiter.failed('cancelled', 'closed');
      if (waiting.size === 0 && idle.length === 0 && mayOpen()) return open(waiter);
      waiting.set(waiter, turn);
      requestTurn();
    },
    forget(waiter) {
      waiting.delete(waiter);
    },
    sweep() {
      sweeps += 1;
      const keeps = (slot: Slot): boolean => {
        if (!slot.connection?.isIdle()) return false;
        if (slot.expiresAt > sweeps) return true;
        slot.connection.close('cancelled', 'idle');
        return false;
      };
      idle = idle.filter(keeps);
    },
    retire() {
      isRetired = true;
      for (const slot of [...idle]) slot.connection?.close('cancelled', 'retired');
    },
    isEmpty: () => slots.size === 0 && waiting.size === 0,
    close() {
      isClosed = true;
      for (const waiter of [...waiting.keys()]) waiter.failed('cancelled', 'closed');
      waiting.clear();
      for (const { connection, maker } of [...slots]) {
        maker?.failed('cancelled', 'closed');
        connection?.close('cancelled', 'closed');
      }
    },
  };
}
