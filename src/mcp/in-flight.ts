/** The calls that have not been answered yet. */
export interface InFlight {
  add(call: AbortController): void;
  delete(call: AbortController): void;
  drain(timeoutMs: number): Promise<void>;
}

const abortGraceMs = 250;

export function createInFlight(): InFlight {
  const calls = new Set<AbortController>();
  const waiting = new Set<() => void>();

  return {
    add(call) {
      calls.add(call);
    },
    delete(call) {
      calls.delete(call);
      if (calls.size === 0) for (const resolve of waiting) resolve();
    },
    async drain(timeoutMs) {
      if (calls.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      const timer = setTimeout(() => {
        for (const call of calls) call.abort('shutdown');
        // An aborted call still writes its record; one that does not react is not waited for.
        setTimeout(resolve, abortGraceMs);
      }, timeoutMs);
      await promise;
      clearTimeout(timer);
      waiting.delete(resolve);
    },
  };
}
