import type { Config } from '#config/config.ts';
import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Sealer } from '#keys/sealer.ts';
import { createSessions, type Sessions } from '#mcp/session.ts';
import { createSessionStates, type SessionStates } from '#mcp/session-state.ts';
import { sweepLinkFlows } from '#store/link-flow-rows.ts';
import { sweepLinkTickets } from '#store/link-ticket-rows.ts';
import {
  loadSessionState,
  removeSessionState,
  saveSessionState,
  sweepSessionStates,
} from '#store/session-states.ts';
import { burySession, isBuried, sweepTombstones } from '#store/session-tombstones.ts';
import type { Store } from '#store/store.ts';

/** Sessions of the older protocol, over the store. */
export function createKeptSessions(deps: {
  readonly config: Config;
  readonly sealer: Sealer;
  readonly store: Store;
  readonly clock: Clock;
}): { readonly sessions: Sessions; readonly sessionStates: SessionStates } {
  const { store, clock } = deps;
  const { limits: bounds } = deps.config;
  return {
    sessions: createSessions({
      seal: deps.sealer,
      tombstones: {
        add: (id, expiresAt) => burySession(store, id, expiresAt),
        has: (id) => isBuried(store, id),
      },
      clock,
      lifetimeMs: bounds.sessionLifetimeMs,
    }),
    sessionStates: createSessionStates({
      store: {
        load: (id) => loadSessionState(store, id),
        save: (id, state, expiresAt) => saveSessionState(store, id, state, expiresAt),
        remove: (id) => removeSessionState(store, id),
      },
      maxSubscriptions: bounds.maxSessionSubscriptions,
    }),
  };
}

/** Deletes rows that have expired, now and then, until the returned function is called. */
export function sweepStore(store: Store, clock: Clock, log: Log): () => void {
  const sweeps = [sweepTombstones, sweepSessionStates, sweepLinkFlows, sweepLinkTickets];
  const sweep = () => Promise.all(sweeps.map((one) => one(store, clock.now())));
  const timer = setInterval(() => {
    sweep().catch((error: unknown) => log.error('store.sweep_failed', { error: String(error) }));
  }, limits.storeSweepMs);
  timer.unref();
  return () => clearInterval(timer);
}
