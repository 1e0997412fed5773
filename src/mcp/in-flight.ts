import type { Cancellable } from '#kernel/cancellation.ts';
import type { Principal } from '#kernel/principal.ts';

/** A call that has not been answered yet. */
export interface CallInFlight extends Cancellable {
  readonly principal: Principal;
  /** It takes its time: the connection is kept open, and its client's going away noticed from here on. Called once. */
  watch(): void;
}

export interface InFlight {
  add(call: CallInFlight): void;
  delete(call: CallInFlight): void;
  /** Aborts what runs for a token that is denied; returns how many. */
  endDenied(isDenied: (principal: Principal) => boolean): number;
  drain(timeoutMs: number): Promise<void>;
}

/** Why a call is aborted whose token is denied: its client is told so. */
export const revoked = 'revoked';

const abortGraceMs = 250;
/** Watching a request costs as much as reading it, and most calls are over before anybody could have left. */
const lookEveryMs = 50;
const isWatched = -1;

export function createInFlight(): InFlight {
  /** Each with the look that came before it. */
  const calls = new Map<CallInFlight, number>();
  const waiting = new Set<() => void>();
  let looks = 0;
  let isLookDue = false;

  function look(): void {
    isLookDue = false;
    for (const [call, since] of calls) {
      if (since === isWatched || since === looks) continue;
      calls.set(call, isWatched);
      call.watch();
    }
    looks += 1;
    if (calls.size > 0) requestLook();
  }

  function requestLook(): void {
    if (isLookDue) return;
    isLookDue = true;
    setTimeout(look, lookEveryMs);
  }

  return {
    add(call) {
      calls.set(call, looks);
      requestLook();
    },
    delete(call) {
      calls.delete(call);
      if (calls.size === 0) for (const resolve of waiting) resolve();
    },
    endDenied(isDenied) {
      const denied = [...calls.keys()].filter(({ principal }) => isDenied(principal));
      for (const call of denied) call.abort(revoked);
      return denied.length;
    },
    async drain(timeoutMs) {
      if (calls.size === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      const timer = setTimeout(() => {
        for (const call of calls.keys()) call.abort('shutdown');
        // An aborted call still writes its record; one that does not react is not waited for.
        setTimeout(resolve, abortGraceMs);
      }, timeoutMs);
      await promise;
      clearTimeout(timer);
      waiting.delete(resolve);
    },
  };
}
