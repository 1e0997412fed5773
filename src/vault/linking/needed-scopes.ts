import type { Clock } from '#kernel/clock.ts';
import type { GrantOwner } from '../grant.ts';
import { createRecent } from '../recent.ts';
import { providerLimits } from './provider-limits.ts';

/** What servers refused users' calls for: asked for at the next link, and at the one after it, then no more (R45). */
export interface NeededScopes {
  /** False where the user was asked for each of them often enough. */
  add(owner: GrantOwner, server: string, scopes: readonly string[]): boolean;
  list(owner: GrantOwner, server: string): readonly string[];
  /** The user has linked: what was needed was asked for once more. */
  asked(owner: GrantOwner, server: string): void;
}

interface Needs {
  readonly until: number;
  /** Scope -> how often the user was asked for it. */
  readonly times: ReadonlyMap<string, number>;
}

export function createNeededScopes(clock: Clock): NeededScopes {
  const known = createRecent<Needs>(providerLimits.maxOwnersCounted);
  const nameOf = (owner: GrantOwner, server: string) => JSON.stringify([owner.key, server]);
  const timesOf = (name: string): ReadonlyMap<string, number> => {
    const needs = known.get(name);
    return needs === undefined || needs.until <= clock.monotonic() ? new Map() : needs.times;
  };
  const keep = (name: string, times: ReadonlyMap<string, number>) =>
    known.set(name, { until: clock.monotonic() + providerLimits.stepUpMemoryMs, times });

  return {
    add(owner, server, scopes) {
      const name = nameOf(owner, server);
      const times = new Map(timesOf(name));
      for (const scope of scopes.slice(0, providerLimits.maxScopes)) times.set(scope, times.get(scope) ?? 0);
      if (times.size > providerLimits.maxScopes) return false;
      keep(name, times);
      return scopes.some((scope) => (times.get(scope) ?? 0) < providerLimits.maxStepUps);
    },
    list: (owner, server) => [...timesOf(nameOf(owner, server)).keys()],
    asked(owner, server) {
      const name = nameOf(owner, server);
      const times = timesOf(name);
      if (times.size > 0) keep(name, new Map([...times].map(([scope, count]) => [scope, count + 1])));
    },
  };
}
