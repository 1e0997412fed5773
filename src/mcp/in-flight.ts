/** The calls that have not been answered yet. */
export interface InFlight {
  add(call: AbortController): void;
  delete(call: AbortController): void;
  drain(timeoutMs: number): Promise<void>;
}

export function createInFlight(): InFlight {
  const calls = new Set<AbortController>();
  let onEmpty: (() => void) | undefined;

  return {
    add(call) {
      calls.add(call);
    },
    delete(call) {
      calls.delete(call);
      if (calls.size === 0) onEmpty?.();
    },
    async drain(timeoutMs) {
      if (calls.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      onEmpty = resolve;
      const timer = setTimeout(() => {
        for (const call of calls) call.abort('shutdown');
        setTimeout(resolve, 250);
      }, timeoutMs);
      await promise;
      clearTimeout(timer);
    },
  };
}
