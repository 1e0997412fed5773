import type { Clock } from '#kernel/clock.ts';
import type { GrantOwner } from '../grant.ts';
import { createRecent } from '../recent.ts';
import { providerLimits } from './provider-limits.ts';

/** Whether this user may begin another link: each makes us ask a provider. Counted here alone, not across processes. */
export function createBegunLinks(clock: Clock): (owner: GrantOwner) => boolean {
  const begun = createRecent<readonly number[]>(providerLimits.maxOwnersCounted);
  return (owner) => {
    const since = clock.monotonic() - providerLimits.flowLifetimeMs;
    const times = (begun.get(owner.key) ?? []).filter((time) => time > since);
    if (times.length >= providerLimits.maxBegunPerOwner) return false;
    begun.set(owner.key, [...times, clock.monotonic()]);
    return true;
  };
}
