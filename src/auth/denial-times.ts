import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Principal } from '#kernel/principal.ts';

/** Time as denials need it, whatever our clock and those of the issuers do. In seconds since the epoch. */
export interface DenialTimes {
  /** A token was verified: shows how far its issuer's clock is ahead of ours. */
  sawToken(token: Pick<Principal, 'issuer' | 'issuedAt'>): void;
  /** The latest `iat` that a token issued by now can have, as far as its issuer's clock and ours are known. */
  untilNow(issuer: string): number;
  /** Now, but never ahead of what really passed: a clock that jumps ahead, and back, forgets nothing. */
  passed(): number;
}

export function createDenialTimes(clock: Clock): DenialTimes {
  const startedAt = clock.now() - clock.monotonic();
  /** One entry for each configured issuer whose clock is ahead. */
  const leads = new Map<string, number>();
  const steadyMs = () => startedAt + clock.monotonic();
  const toleranceMs = limits.clockToleranceSeconds * 1_000;

  return {
    sawToken({ issuer, issuedAt }) {
      const ahead = Math.ceil(issuedAt - clock.now() / 1_000);
      if (ahead <= (leads.get(issuer) ?? 0)) return;
      leads.set(issuer, Math.min(ahead, limits.clockToleranceSeconds));
    },
    untilNow(issuer) {
      // Our clock may just have been put back; a token from further ahead than this is refused anyway.
      const now = Math.max(clock.now(), Math.min(steadyMs(), clock.now() + toleranceMs));
      return Math.floor(now / 1_000) + (leads.get(issuer) ?? 0);
    },
    passed: () => Math.floor(Math.min(clock.now(), steadyMs()) / 1_000),
  };
}
