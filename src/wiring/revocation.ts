import { type DenyList, openDenyList } from '#auth/deny-list.ts';
import { createLocalBus } from '#cluster/bus.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import type { Store } from '#store/store.ts';
import type { Settled } from './settled.ts';

/** The deny-list over the store, for a gateway of one process. */
export function openRevocation(deps: {
  readonly current: () => Settled;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<DenyList> {
  return openDenyList({
    ...deps,
    bus: createLocalBus(),
    maxTokenAgeSeconds: () =>
      Math.max(...deps.current().config.auth.issuers.map(({ maxTokenAgeSeconds }) => maxTokenAgeSeconds)),
  });
}
