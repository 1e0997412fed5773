import type { Backend } from '#backends/backend.ts';
import type { CancelSignal } from '#kernel/cancellation.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Streams } from './streams.ts';

const MAX_WAITS = 10_000;
const MAX_WAITS_PER_PRINCIPAL = 32;

/** Calls that wait for a link that their users have opened. */
const MAX_CALLS = 1_000;
const MAX_CALLS_PER_PRINCIPAL = 8;
const LOOK_AGAIN_MS = 2_000;

/** A legacy client that was shown a link, and is told when it has been used. */
export interface LinkWait {
  readonly principal: Principal;
  readonly server: BackendId;
  readonly sessionId: string;
  readonly elicitationId: string;
}

/** Who waits for an account to be linked. */
export interface LinkWaits {
  /** Tells it by `notifications/elicitation/complete` of 2025-11-25; the modern era has no such thing. */
  add(wait: LinkWait): void;
  /** Until when a call that begins to wait now may do so. */
  deadline(): number;
  /**
   * Waits for a principal's link: true, it is worth to look again; false, it was waited long enough, the call has ended,
   * or too many wait. A modern client calls again as soon as its user opens the page (2026-07-28 client/elicitation:
   * "it may need to block").
   */
  mayBeLinked(
    principal: Principal,
    server: BackendId,
    signal: CancelSignal,
    deadlineMs: number,
  ): Promise<boolean>;
  /** The linking of a principal at a server may have changed. */
  personalChanged(server: BackendId, principalKey: string): void;
  /** Those whose token is denied are not told any more. */
  endDenied(isDenied: (principal: Principal) => boolean): void;
  /** Nobody waits any more: calls that do are answered as if nothing had been linked. */
  close(): void;
}

interface WaitingCall {
  readonly server: BackendId;
  readonly lookAgain: () => void;
}

export function createLinkWaits(deps: {
  readonly backend: (id: BackendId) => Backend | undefined;
  readonly streams: Pick<Streams, 'tellSession'>;
  readonly clock: Clock;
  readonly lifetimeMs: number;
  /** Longest wait of a call. */
  readonly callWaitMs: number;
}): LinkWaits {
  const closing = new AbortController();
  /** By principal, the oldest first. */
  const waiting = new Map<string, (LinkWait & { readonly until: number })[]>();
  let count = 0;
  const calls = new Map<string, Set<WaitingCall>>();
  let callCount = 0;

  function replace(key: string, left: (LinkWait & { readonly until: number })[]): void {
    count += left.length - (waiting.get(key)?.length ?? 0);
    waiting.delete(key);
    if (left.length > 0) waiting.set(key, left);
  }

  function leave(key: string, call: WaitingCall): void {
    const own = calls.get(key);
    if (own?.delete(call)) callCount -= 1;
    if (own?.size === 0) calls.delete(key);
  }

  function letGo(server: BackendId, key: string): void {
    for (const call of calls.get(key) ?? []) if (call.server === server) call.lookAgain();
  }

  async function isLinked({ server, principal }: LinkWait): Promise<boolean> {
    const personal = deps.backend(server)?.personal;
    if (personal === undefined) return true;
    const known = personal.current(principal) ?? (await personal.refresh(principal, closing.signal));
    return known.kind !== 'unlinked';
  }

  async function tell(server: BackendId, key: string): Promise<void> {
    const [first] = (waiting.get(key) ?? []).filter((wait) => wait.server === server);
    if (first === undefined || !(await isLinked(first)) || closing.signal.aborted) return;
    const all = waiting.get(key) ?? [];
    replace(
      key,
      all.filter((wait) => wait.server !== server),
    );
    const now = deps.clock.monotonic();
    for (const { server: of, until, sessionId, elicitationId } of all) {
      if (of !== server || until <= now) continue;
      deps.streams.tellSession(key, sessionId, 'notifications/elicitation/complete', { elicitationId });
    }
  }

  return {
    add(wait) {
      const { key } = wait.principal;
      const now = deps.clock.monotonic();
      const alive = (waiting.get(key) ?? []).filter(({ until }) => until > now);
      replace(key, [...alive, { ...wait, until: now + deps.lifetimeMs }].slice(-MAX_WAITS_PER_PRINCIPAL));
      for (const oldest of waiting.keys()) {
        if (count <= MAX_WAITS) return;
        replace(oldest, []);
      }
    },
    deadline: () => deps.clock.monotonic() + deps.callWaitMs,
    async mayBeLinked({ key }, server, signal, deadlineMs) {
      const own = calls.get(key) ?? new Set();
      const leftMs = deadlineMs - deps.clock.monotonic();
      if (closing.signal.aborted || signal.aborted || leftMs <= 0) return false;
      if (own.size >= MAX_CALLS_PER_PRINCIPAL || callCount >= MAX_CALLS) return false;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const call = { server, lookAgain: () => resolve(true) };
      calls.set(key, own.add(call));
      callCount += 1;
      const giveUp = () => resolve(false);
      signal.addEventListener('abort', giveUp);
      // News may have come just before anybody waited for it.
      const timer = setTimeout(call.lookAgain, Math.min(leftMs, LOOK_AGAIN_MS));
      return promise.finally(() => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        leave(key, call);
      });
    },
    personalChanged(server, principalKey) {
      if (waiting.has(principalKey)) void tell(server, principalKey);
      letGo(server, principalKey);
    },
    endDenied(isDenied) {
      for (const [key, own] of waiting) {
        const left = own.filter(({ principal }) => !isDenied(principal));
        if (left.length < own.length) replace(key, left);
      }
    },
    close() {
      closing.abort();
      for (const own of calls.values()) for (const { lookAgain } of own) lookAgain();
      waiting.clear();
      count = 0;
    },
  };
}
