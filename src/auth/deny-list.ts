import type { Bus } from '#cluster/bus.ts';
import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { listRevocations, saveRevocations, sweepRevocations } from '#store/revocation-rows.ts';
import type { Store } from '#store/store.ts';
import { checkRevocation } from './check-revocation.ts';
import { createDenialTimes, type DenialTimes } from './denial-times.ts';
import { createDenied, type Deniable, type Denial } from './denied.ts';
import {
  type Acknowledgement,
  type DenyFailure,
  type Ended,
  type IssuerRevoker,
  isRevocationKind,
  type Revocation,
  type RevocationKind,
} from './revocation.ts';

/** Whoever keeps something going for a principal: ends what is denied, and says how much of it there was. */
export type EndDenied = (isDenied: (token: Deniable) => boolean) => Partial<Ended> | undefined;

/** Whose tokens are refused although they are good. */
export interface DenyList {
  /** Synchronous, in memory; asked for each request, after the cache of verified tokens. */
  denies(token: Deniable): RevocationKind | undefined;
  /**
   * Writes them to the store, then denies them in every replica, and ends what is in use. Resolves when all that is
   * done. `source`: who says so, a feeder or an operator; for the log.
   */
  deny(revocations: readonly Revocation[], source: string): Promise<Result<Acknowledgement, DenyFailure>>;
  /** The deny-list as one issuer may use it. */
  denyListFor(issuer: string): IssuerRevoker;
  /** `end` is called at each denial, until the returned function is. */
  onDenied(end: EndDenied): () => void;
  /** A token was verified: shows how far its issuer's clock is ahead. */
  sawToken: DenialTimes['sawToken'];
  /** Reads again what the store keeps: a command may have written there while no gateway seemed to run. */
  readKept(): Promise<void>;
  close(): void;
}

export interface DenyListDeps {
  readonly store: Store;
  readonly bus: Bus<readonly Denial[], Ended>;
  readonly clock: Clock;
  readonly log: Log;
  /** No token is good for longer than this after its `iat`. */
  readonly maxTokenAgeSeconds: () => number;
  /** Default: `limits.maxRevocationsPerIssuer`. */
  readonly maxPerIssuer?: number;
  /** Default: `limits.storeSweepMs`. */
  readonly sweepMs?: number;
}

/** Reads what the store keeps, so that a restart forgets nothing. */
export async function openDenyList(deps: DenyListDeps): Promise<DenyList> {
  const { store, bus, clock, log } = deps;
  const maxPerIssuer = deps.maxPerIssuer ?? limits.maxRevocationsPerIssuer;
  const times = createDenialTimes(clock);
  const holders = new Set<EndDenied>();
  // Two of them, so that nothing is ever deleted from a large one: `older` goes when nothing in it matters any more.
  let newer = createDenied();
  let older = createDenied();
  let newerSince = clock.monotonic();
  await readKept();
  const sweeper = setInterval(sweep, deps.sweepMs ?? limits.storeSweepMs);
  sweeper.unref();

  async function readKept(): Promise<void> {
    await eachKept(store, newer.add);
  }

  const nowSeconds = () => Math.floor(clock.now() / 1_000);

  function keepSeconds(): number {
    return Math.max(deps.maxTokenAgeSeconds(), limits.maxTokenAgeSeconds) + limits.clockToleranceSeconds;
  }

  function sweep(): void {
    const now = times.passed();
    const isOlderOver = older.latest() + keepSeconds() < now;
    if (isOlderOver && clock.monotonic() - newerSince >= keepSeconds() * 1_000) {
      older = newer;
      newer = createDenied();
      newerSince = clock.monotonic();
    }
    sweepRevocations(store, now * 1_000).catch((error: unknown) =>
      log.error('revocation.sweep_failed', { error: String(error) }),
    );
  }

  function denies(token: Deniable): RevocationKind | undefined {
    return newer.denies(token) ?? older.denies(token);
  }

  /** Of each replica: from the first line on nobody gets in; then what is in use ends. */
  function take(denials: readonly Denial[]): Ended {
    const fresh = createDenied();
    for (const denial of denials) {
      newer.add(denial);
      fresh.add(denial);
    }
    const isDenied = (token: Deniable) => fresh.denies(token) !== undefined;
    const ended = { streams: 0, calls: 0 };
    const faults: unknown[] = [];
    for (const end of holders) {
      try {
        const { streams = 0, calls = 0 } = end(isDenied) ?? {};
        ended.streams += streams;
        ended.calls += calls;
      } catch (fault) {
        faults.push(fault);
      }
    }
    if (faults.length > 0) throw new AggregateError(faults, `something in use was not ended: ${faults[0]}`);
    return ended;
  }
  const leave = bus.join(take);

  function settled({ kind, issuer, value, before }: Revocation): Denial {
    const isUntilNow = before === undefined || kind === 'token';
    return { kind, issuer, value, before: isUntilNow ? times.untilNow(issuer) : Math.floor(before) };
  }

  function refusal(revocations: readonly Revocation[]): DenyFailure | undefined {
    const news = new Map<string, number>();
    for (const one of revocations) {
      const wrong = checkRevocation(one, nowSeconds());
      if (wrong !== undefined) return wrong;
      if (one.kind !== 'issuer') news.set(one.issuer, (news.get(one.issuer) ?? 0) + 1);
    }
    for (const [issuer, count] of news) {
      if (newer.sizeOf(issuer) + older.sizeOf(issuer) + count <= maxPerIssuer) continue;
      return {
        reason: 'list_full',
        message: `${maxPerIssuer} revocations of ${issuer} still matter: revoke the whole issuer, or wait`,
      };
    }
    return undefined;
  }

  async function keep(denials: readonly Denial[], source: string): Promise<boolean> {
    try {
      const expiresAt = ({ before }: Denial) => (Math.max(before, nowSeconds()) + keepSeconds()) * 1_000;
      await saveRevocations(
        store,
        denials.map((denial) => ({ ...denial, expiresAt: expiresAt(denial) })),
      );
      return true;
    } catch (error) {
      log.error('revocation.not_kept', { source, count: denials.length, error: String(error) });
      return false;
    }
  }

  async function publish(denials: readonly Denial[], source: string): Promise<readonly Ended[] | undefined> {
    try {
      return await bus.publish(denials);
    } catch (error) {
      log.error('revocation.not_confirmed', { source, count: denials.length, error: String(error) });
      return undefined;
    }
  }

  async function deny(
    revocations: readonly Revocation[],
    source: string,
  ): Promise<Result<Acknowledgement, DenyFailure>> {
    const startedMs = clock.monotonic();
    const refused = refusal(revocations);
    if (refused !== undefined) {
      log.error('revocation.refused', { source, reason: refused.reason, detail: refused.message });
      return err(refused);
    }
    const denials = revocations.map(settled);
    const isKept = await keep(denials, source);
    // Also what could not be kept is denied here and now; it is only not acknowledged.
    const answers = await publish(denials, source);
    if (!isKept) {
      const message = 'the store cannot be written: a restart would forget this, so it is not acknowledged';
      return err({ reason: 'store_failed', message });
    }
    if (answers === undefined) {
      return err({ reason: 'replica_silent', message: 'not every replica has confirmed: try again' });
    }
    const sum = (of: keyof Ended) => answers.reduce((total, ended) => total + ended[of], 0);
    const closed = { streams: sum('streams'), calls: sum('calls') };
    const ms = clock.monotonic() - startedMs;
    log.info('revocation.acknowledged', { source, count: denials.length, ms, ...closed });
    return ok({ replicas: answers.length, ms, closed });
  }

  return {
    denies,
    deny,
    denyListFor: (issuer) => revokerFor(issuer, deny),
    onDenied(end) {
      holders.add(end);
      return () => holders.delete(end);
    },
    sawToken: times.sawToken,
    readKept,
    close() {
      clearInterval(sweeper);
      leave();
    },
  };
}

/** Whatever issuer a revocation names, it becomes one of this issuer. */
export function revokerFor(issuer: string, deny: DenyList['deny']): IssuerRevoker {
  return {
    deny: (revocations, source) =>
      deny(
        revocations.map((one) => ({ ...one, issuer })),
        source,
      ),
  };
}

const KEPT_AT_A_TIME = 10_000;

async function eachKept(store: Store, take: (denial: Denial) => void): Promise<void> {
  for (let cursor = 0; ; ) {
    const page = await listRevocations(store, cursor, KEPT_AT_A_TIME);
    for (const { kind, issuer, value, before } of page.rows) {
      if (isRevocationKind(kind)) take({ kind, issuer, value, before });
    }
    if (page.rows.length < KEPT_AT_A_TIME) return;
    cursor = page.cursor;
  }
}
