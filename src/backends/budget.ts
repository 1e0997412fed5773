import type { CancelSignal } from '#kernel/cancellation.ts';
import { err, ok, type Result } from '#kernel/result.ts';

type Outcome = Result<undefined, 'busy' | 'cancelled'>;

export interface Budget {
  /**
   * A place among the calls under way, waited for in order. `busy`: the queue is full, or no place came free in time. Whoever
   * got one calls `release` once, with the same principal.
   */
  acquire(principal: string, signal: CancelSignal, timeoutMs: number): Outcome | Promise<Outcome>;
  release(principal: string): void;
  inFlight(): number;
  /** Everyone who waits is told `cancelled`. */
  close(): void;
}

interface Waiter {
  readonly principal: string;
  settle(outcome: Outcome): void;
}

/**
 * Bounds the calls to one backend, so that a backend which hangs holds nothing that another one needs. The last eighth of
 * the places is for principals who hold fewer than that: one alone can never take them all.
 */
export function createBudget(maxInFlight: number, maxQueued: number): Budget {
  const reserved = Math.floor(maxInFlight / 8);
  const held = new Map<string, number>();
  const waiting = new Set<Waiter>();
  let inFlight = 0;
  let isClosed = false;

  function mayTake(principal: string): boolean {
    if (inFlight < maxInFlight - reserved) return true;
    return inFlight < maxInFlight && (held.get(principal) ?? 0) < reserved;
  }
  function take(principal: string): void {
    inFlight++;
    held.set(principal, (held.get(principal) ?? 0) + 1);
  }

  return {
    acquire(principal, signal, timeoutMs) {
      if (isClosed || signal.aborted) return err('cancelled');
      if (mayTake(principal)) {
        take(principal);
        return ok(undefined);
      }
      if (waiting.size >= maxQueued) return err('busy');
      return new Promise((resolve) => {
        const waiter: Waiter = {
          principal,
          settle(outcome) {
            waiting.delete(waiter);
            clearTimeout(timer);
            signal.removeEventListener('abort', onAbort);
            resolve(outcome);
          },
        };
        const onAbort = (): void => waiter.settle(err('cancelled'));
        const timer = setTimeout(() => waiter.settle(err('busy')), timeoutMs);
        signal.addEventListener('abort', onAbort);
        waiting.add(waiter);
      });
    },
    release(principal) {
      inFlight--;
      const left = (held.get(principal) ?? 1) - 1;
      if (left > 0) held.set(principal, left);
      else held.delete(principal);
      for (const waiter of waiting) {
        if (!mayTake(waiter.principal)) continue;
        take(waiter.principal);
        waiter.settle(ok(undefined));
        return;
      }
    },
    inFlight: () => inFlight,
    close() {
      isClosed = true;
      for (const waiter of waiting) waiter.settle(err('cancelled'));
    },
  };
}
