import type { Backend } from '#backends/backend.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Streams } from './streams.ts';

const MAX_WAITS = 10_000;
const MAX_WAITS_PER_PRINCIPAL = 32;

/** A legacy client that was shown a link, and is told when it has been used. */
export interface LinkWait {
  readonly principal: Principal;
  readonly server: BackendId;
  readonly sessionId: string;
  readonly elicitationId: string;
}

/** `notifications/elicitation/complete` of 2025-11-25; the modern era has no such thing. */
export interface LinkWaits {
  add(wait: LinkWait): void;
  /** The linking of a principal at a server may have changed. */
  personalChanged(server: BackendId, principalKey: string): void;
  close(): void;
}

export function createLinkWaits(deps: {
  readonly backend: (id: BackendId) => Backend | undefined;
  readonly streams: Pick<Streams, 'tellSession'>;
  readonly clock: Clock;
  readonly lifetimeMs: number;
}): LinkWaits {
  const closing = new AbortController();
  /** By principal, the oldest first. */
  const waiting = new Map<string, (LinkWait & { readonly until: number })[]>();
  let count = 0;

  function replace(key: string, left: (LinkWait & { readonly until: number })[]): void {
    count += left.length - (waiting.get(key)?.length ?? 0);
    waiting.delete(key);
    if (left.length > 0) waiting.set(key, left);
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
    personalChanged(server, principalKey) {
      if (waiting.has(principalKey)) void tell(server, principalKey);
    },
    close() {
      closing.abort();
      waiting.clear();
      count = 0;
    },
  };
}
