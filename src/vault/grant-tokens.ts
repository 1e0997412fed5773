import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { Secret } from '#kernel/secret.ts';
import type { GrantOwner, StoredGrant } from './grant.ts';
import { createRecent } from './recent.ts';
import { createRefresher, type NoToken, type RefreshDeps } from './refresh.ts';

/** Users' own access tokens at servers, fresh. */
export interface GrantTokens {
  /** The user's token there, refreshed a minute before it expires: once, however many ask, in all processes. */
  token(owner: GrantOwner, server: string): Promise<Result<Secret, NoToken>>;
  /** The server refused this token: another one, refreshed unless somebody just did. */
  rejected(owner: GrantOwner, server: string, token: Secret): Promise<Result<Secret, NoToken>>;
  /** `dead`: it must be linked again. */
  isLinked(owner: GrantOwner, server: string): Promise<'linked' | 'dead' | 'unlinked'>;
}

export function createGrantTokens(deps: RefreshDeps): GrantTokens {
  const { grants, clock, schedule, log } = deps;
  const refresher = createRefresher(deps);
  /** Until when a token that a refresh brought is not refreshed again: it may be short-lived, or refused always. */
  const settled = createRecent<number>(limits.maxCachedGrants);

  const isValid = ({ grant }: StoredGrant, forMs: number): boolean =>
    grant.expiresAt === undefined || clock.now() < grant.expiresAt - forMs;
  const isDead = (stored: StoredGrant): boolean =>
    stored.isDead || (stored.grant.refreshToken === undefined && !isValid(stored, 0));

  const fresh = async (
    owner: GrantOwner,
    server: string,
    stored: StoredGrant,
  ): Promise<Result<Secret, NoToken>> => {
    const refreshed = await refresher.refresh(owner, server, stored.generation);
    if (!refreshed.ok) return refreshed;
    const { grant, generation } = refreshed.value;
    if (generation !== stored.generation) {
      settled.set(nameOf(owner, server), clock.now() + limits.grantSettledMs);
    }
    return ok(grant.accessToken);
  };
  const isSettled = (owner: GrantOwner, server: string): boolean =>
    (settled.get(nameOf(owner, server)) ?? 0) > clock.now();
  const used = (owner: GrantOwner, server: string, token: Secret): Result<Secret, NoToken> => {
    grants.touch(owner, server);
    return ok(token);
  };

  const token = async (owner: GrantOwner, server: string): Promise<Result<Secret, NoToken>> => {
    const stored = await grants.get(owner, server);
    if (stored === undefined) return err('not_linked');
    if (isDead(stored)) return err('link_again');
    const early = isSettled(owner, server) ? limits.grantLeewayMs : limits.grantRefreshEarlyMs;
    if (isValid(stored, early) || stored.grant.refreshToken === undefined) {
      return used(owner, server, stored.grant.accessToken);
    }
    const refreshing = fresh(owner, server, stored);
    // A provider that is slow or down costs nobody a call while the old token is good.
    const isStillGood = isValid(stored, limits.grantLeewayMs);
    const outcome = isStillGood
      ? await within(limits.grantPatienceMs, refreshing, schedule)
      : await refreshing;
    if (outcome?.ok) return used(owner, server, outcome.value);
    if (outcome !== undefined && outcome.error !== 'unavailable') return outcome;
    return isStillGood ? used(owner, server, stored.grant.accessToken) : err('unavailable');
  };

  const rejected = async (
    owner: GrantOwner,
    server: string,
    refused: Secret,
  ): Promise<Result<Secret, NoToken>> => {
    const stored = await grants.get(owner, server);
    if (stored === undefined) return err('not_linked');
    if (stored.grant.accessToken.reveal() !== refused.reveal()) return token(owner, server);
    if (isDead(stored)) return err('link_again');
    if (stored.grant.refreshToken === undefined) {
      await grants.markDead(owner, server, stored.generation);
      return err('link_again');
    }
    // A server that refuses whatever comes must not make a refresh of every call.
    if (isSettled(owner, server)) return err('link_again');
    const outcome = await fresh(owner, server, stored);
    return outcome.ok ? used(owner, server, outcome.value) : outcome;
  };

  /** A failing database, or a key that the ring lacks, is no reason to link again. */
  const orUnavailable = async (
    server: string,
    outcome: Promise<Result<Secret, NoToken>>,
  ): Promise<Result<Secret, NoToken>> => {
    try {
      return await outcome;
    } catch (error) {
      log.error('vault.unavailable', { server, error: error instanceof Error ? error.message : 'unknown' });
      return err('unavailable');
    }
  };

  return {
    token: (owner, server) => orUnavailable(server, token(owner, server)),
    rejected: (owner, server, refused) => orUnavailable(server, rejected(owner, server, refused)),
    async isLinked(owner, server) {
      const stored = await grants.get(owner, server);
      if (stored === undefined) return 'unlinked';
      return isDead(stored) ? 'dead' : 'linked';
    },
  };
}

function nameOf(owner: GrantOwner, server: string): string {
  return `${server} ${owner.key}`;
}

/** The outcome, or undefined where it takes longer; it goes on then. */
async function within<T>(ms: number, outcome: Promise<T>, schedule: Schedule): Promise<T | undefined> {
  let callOff = () => {};
  const late = new Promise<undefined>((resolve) => {
    callOff = schedule(ms, () => resolve(undefined));
  });
  try {
    return await Promise.race([outcome, late]);
  } finally {
    callOff();
  }
}
