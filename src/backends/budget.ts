import { err, ok, type Result } from '#kernel/result.ts';

export interface Budget {
  /**
   * A place among the calls under way, waited for in order. `busy`: the queue is full, or no place came free in time. Whoever
   * got one calls `release` once.
   */
  acquire(
    signal: AbortSignal,
    timeoutMs: number,
  ): Result<undefined, 'busy' | 'cancelled'> | Promise<Result<undefined, 'busy' | 'cancelled'>>;
  release(): void;
  inFlight(): number;
  /** Everyone who waits is told `cancelled`. */
  close(): void;
}

/** Bounds the calls to one backend, so that a backend which hangs holds nothing that another one needs. */
export function createBudget(maxInFlight: number, maxQueued: number): Budget {
  const waiting = new Set<(result: Result<undefined, 'busy' | 'cancelled'>) => void>();
  let inFlight = 0;
  let isClosed = false;

  return {
    acquire(signal, timeoutMs) {
      if (isClosed || signal.aborted) return err('cancelled');
      if (inFlight < maxInFlight) {
        inFlight++;
        return ok(undefined);
      }
      if (waiting.size >= maxQueued) return err('busy');
      return new Promise((resolve) => {
        const settle = (result: Result<undefined, 'busy' | 'cancelled'>): void => {
          waiting.delete(settle);
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          resolve(result);
        };
        const onAbort = (): void => settle(err('cancelled'));
        const timer = setTimeout(() => settle(err('busy')), timeoutMs);
        signal.addEventListener('abort', onAbort);
        waiting.add(settle);
      });
    },
    release() {
      const [next] = waiting;
      // The place passes on, so `inFlight` stays as it is.
      if (next !== undefined) return next(ok(undefined));
      inFlight--;
    },
    inFlight: () => inFlight,
    close() {
      isClosed = true;
      for (const settle of waiting) settle(err('cancelled'));
    },
  };
}
