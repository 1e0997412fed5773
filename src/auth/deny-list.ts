import type { Bus } from '#cluster/bus.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { listRevocations, saveRevocations } from '#store/revocation-rows.ts';
import type { Store } from '#store/store.ts';
import { createDenied, type Denial } from './denied.ts';
import {
  type Acknowledgement,
  type DenyFailure,
  type Ended,
  type IssuerRevoker,
  isRevocationKind,
  type Revocation,
  type RevocationKind,
} from './revocation.ts';

/** Whoever keeps something going for a principal: ends what is denied, and says how much that was. */
export type EndDenied = (isDenied: (principal: Principal) => boolean) => Partial<Ended> | undefined;

/** Whose tokens are refused although they are good. */
export interface DenyList {
  /** Synchronous, in memory; for each request, after the cache of verified tokens. */
  denies(principal: Principal): RevocationKind | undefined;
  /**
   * Writes them to the store, then denies them in every replica, and ends what is in use. `source`: who says so, a
   * feeder or an operator; for the log.
   */
  deny(revocations: readonly Revocation[], source: string): Promise<Result<Acknowledgement, DenyFailure>>;
  /** The deny-list as one issuer may use it. */
  denyListFor(issuer: string): IssuerRevoker;
  /** `end` is called at each denial, until the returned function is. */
  onDenied(end: EndDenied): () => void;
  close(): void;
}

export interface DenyListDeps {
  readonly store: Store;
  readonly bus: Bus<readonly Denial[], Ended>;
  readonly clock: Clock;
  readonly log: Log;
  /** No token is good for longer than this after its `iat`. */
  readonly maxTokenAgeSeconds: () => number;
}

/** Reads what the store keeps, so that a restart forgets nothing. */
export async function openDenyList(deps: DenyListDeps): Promise<DenyList> {
  const { store, bus, clock, log } = deps;
  const denied = createDenied();
  const holders = new Set<EndDenied>();

  await eachKept(store, ({ expiresAt: _, ...denial }) => denied.add(denial));

  const leave = bus.join((denials) => {
    const fresh = createDenied();
    for (const denial of denials) {
      denied.add(denial);
      fresh.add(denial);
    }
    const isDenied = (principal: Principal) => fresh.denies(principal) !== undefined;
    const ended = { streams: 0, calls: 0 };
    for (const end of holders) {
      const { streams = 0, calls = 0 } = end(isDenied) ?? {};
      ended.streams += streams;
      ended.calls += calls;
    }
    return ended;
  });

  async function deny(
    revocations: readonly Revocation[],
    source: string,
  ): Promise<Result<Acknowledgement, DenyFailure>> {
    const startedMs = clock.monotonic();
    const nowSeconds = Math.floor(clock.now() / 1_000);
    const denials = revocations.map((one) => ({ ...one, before: one.before ?? nowSeconds }));
    try {
      const keepSeconds = deps.maxTokenAgeSeconds();
      await saveRevocations(
        store,
        denials.map((denial) => ({ ...denial, expiresAt: (denial.before + keepSeconds) * 1_000 })),
      );
    } catch (error) {
      log.error('revocation.not_kept', { source, error: String(error) });
      return err({ reason: 'store_failed', message: 'the store cannot be written: nothing was revoked' });
    }
    const answers = await bus.publish(denials);
    return ok({
      replicas: answers.length,
      ms: clock.monotonic() - startedMs,
      closed: {
        streams: answers.reduce((sum, { streams }) => sum + streams, 0),
        calls: answers.reduce((sum, { calls }) => sum + calls, 0),
      },
    });
  }

  return {
    denies: denied.denies,
    deny,
    denyListFor: (issuer) => ({
      deny: (revocations, source) =>
        deny(
          revocations.map((one) => ({ ...one, issuer })),
          source,
        ),
    }),
    onDenied(end) {
      holders.add(end);
      return () => holders.delete(end);
    },
    close: leave,
  };
}

const KEPT_AT_A_TIME = 10_000;

async function eachKept(
  store: Store,
  take: (denial: Denial & { readonly expiresAt: number }) => void,
): Promise<void> {
  for (let cursor = 0; ; ) {
    const page = await listRevocations(store, cursor, KEPT_AT_A_TIME);
    for (const { kind, ...row } of page.rows) if (isRevocationKind(kind)) take({ ...row, kind });
    if (page.rows.length < KEPT_AT_A_TIME) return;
    cursor = page.cursor;
  }
}
