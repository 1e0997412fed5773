import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { Grant, GrantOwner, Grants, Lease, StoredGrant } from './grant.ts';
import { createRecent } from './recent.ts';

/** Asks the authorization server for a fresh grant (RFC 6749 section 6). `unavailable`: it may work later. */
export type RefreshGrant = (
  server: string,
  grant: Grant,
) => Promise<Result<Grant, 'invalid_grant' | 'unavailable'>>;

/** Gives tokens back that nobody will use, as far as the authorization server can be asked. */
export type RevokeGrant = (server: string, grant: Grant) => Promise<boolean>;

export interface RefreshDeps {
  readonly grants: Grants;
  readonly refresh: RefreshGrant;
  readonly revoke: RevokeGrant;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** From 0 to 1, 1 excluded. */
  readonly random: () => number;
  readonly log: Log;
}

/** Why there is no token. `unavailable`: the authorization server or the vault cannot be asked just now. */
export type NoToken = 'not_linked' | 'link_again' | 'unavailable';

/** Refreshes grants, each once at a time: one flight in this process, one lease among all of them. */
export interface Refresher {
  /**
   * The grant that holds in place of `generation`: refreshed here, or by whoever was first. After a failure that may
   * pass, the next attempts wait, longer each time; until then the answer is `unavailable` at once.
   */
  refresh(owner: GrantOwner, server: string, generation: number): Promise<Result<StoredGrant, NoToken>>;
}

type Outcome = Result<StoredGrant, NoToken>;

export function createRefresher(deps: RefreshDeps): Refresher {
  const { grants, refresh, revoke, clock, schedule, random, log } = deps;
  const flights = new Map<string, Promise<Outcome>>();
  const failures = createRecent<{ readonly count: number; readonly until: number }>(limits.maxCachedGrants);

  const failed = (name: string): Outcome => {
    const count = (failures.get(name)?.count ?? 0) + 1;
    const delay = Math.min(limits.grantBackoffMs * 2 ** (count - 1), limits.maxGrantBackoffMs);
    failures.set(name, { count, until: clock.now() + delay * (0.5 + random() / 2) });
    return err('unavailable');
  };

  /** What holds now, where it is no longer `generation`. */
  const replaced = async (
    owner: GrantOwner,
    server: string,
    generation: number,
  ): Promise<Outcome | undefined> => {
    const stored = await grants.get(owner, server);
    if (stored === undefined) return err('not_linked');
    if (stored.isDead) return err('link_again');
    return stored.generation === generation ? undefined : ok(stored);
  };

  /** Only the holder of the lease comes here: refresh tokens that are used twice kill the grant at many providers. */
  const refreshLeased = async (
    name: string,
    owner: GrantOwner,
    server: string,
    generation: number,
  ): Promise<Outcome> => {
    const stored = await grants.get(owner, server);
    if (stored === undefined) return err('not_linked');
    if (stored.isDead) return err('link_again');
    if (stored.generation !== generation) return ok(stored);
    const refreshed = await refresh(server, stored.grant);
    if (!refreshed.ok) {
      log.warn('vault.refresh_failed', { server, reason: refreshed.error });
      if (refreshed.error === 'unavailable') return failed(name);
      await grants.markDead(owner, server, generation);
      return (await replaced(owner, server, generation)) ?? err('link_again');
    }
    failures.delete(name);
    const isHeld = await grants.replace(owner, server, generation, refreshed.value);
    if (!isHeld) {
      const now = (await replaced(owner, server, generation)) ?? err('unavailable');
      // Unlinked meanwhile: the provider was told of the tokens from before, and may not have known them any more.
      const isLeftOver = !now.ok && now.error === 'not_linked';
      if (isLeftOver && !(await revoke(server, refreshed.value))) log.warn('link.not_revoked', { server });
      return now;
    }
    return ok({ ...stored, grant: refreshed.value, generation: generation + 1 });
  };

  const fly = async (
    name: string,
    owner: GrantOwner,
    server: string,
    generation: number,
  ): Promise<Outcome> => {
    const until = clock.monotonic() + limits.grantWaitMs;
    do {
      const lease = await grants.lease(owner, server, limits.grantLeaseMs);
      if (lease !== undefined) {
        const letGo = keepAlive(lease, schedule);
        try {
          return await refreshLeased(name, owner, server, generation);
        } finally {
          letGo();
          await lease.release();
        }
      }
      await sleep(limits.grantLeasePollMs * (0.5 + random()), schedule);
      const now = await replaced(owner, server, generation);
      if (now !== undefined) return now;
    } while (clock.monotonic() < until);
    return failed(name);
  };

  return {
    async refresh(owner, server, generation) {
      const name = `${server} ${generation} ${owner.key}`;
      const flight = flights.get(name);
      if (flight !== undefined) return flight;
      if ((failures.get(name)?.until ?? 0) > clock.now()) return err('unavailable');
      const started = fly(name, owner, server, generation).finally(() => flights.delete(name));
      flights.set(name, started);
      return started;
    },
  };
}

/** Extends the lease for as long as its holder lives and works. */
function keepAlive(lease: Lease, schedule: Schedule): () => void {
  let isOver = false;
  let callOff = () => {};
  const next = (): void => {
    callOff = schedule(limits.grantLeaseMs / 3, () => {
      // What another one took, or a failing database, shows when the outcome is written.
      lease.extend(limits.grantLeaseMs).then(
        (isHeld) => isHeld && !isOver && next(),
        () => {},
      );
    });
  };
  next();
  return () => {
    isOver = true;
    callOff();
  };
}

function sleep(ms: number, schedule: Schedule): Promise<void> {
  return new Promise((resolve) => {
    schedule(ms, resolve);
  });
}
