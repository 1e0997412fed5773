import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { IssuerKeys } from '../issuer-keys.ts';
import type { IssuerRevoker } from '../revocation.ts';
import type { FeedPulse } from './feed-pulse.ts';
import { type OwnRevocation, type ReadEvents, readEvents } from './read-events.ts';
import { type FeedRefusal, feedRefusal, isPassing } from './refusal.ts';
import { createSeenIds } from './seen-ids.ts';
import { type EventToken, type EventTokenRules, verifyEventToken } from './verify-event-token.ts';

/** What became of one event: acted upon (or nothing to do), or acted upon before. */
export type EventOutcome = Result<'done' | 'seen', FeedRefusal>;

/** Turns one issuer's security event tokens into revocations of that issuer. */
export interface EventReceiver {
  /** One outcome each, in their order. What is `done` is revoked in every replica. Acting again does no harm. */
  receive(texts: readonly string[]): Promise<readonly EventOutcome[]>;
  counts(): { readonly received: number; readonly refused: number; readonly revoked: number };
}

export interface EventReceiverDeps {
  readonly issuer: string;
  /** How the subjects of its events may name it. */
  readonly names: readonly string[];
  readonly rules: EventTokenRules;
  readonly keys: Pick<IssuerKeys, 'candidates'>;
  readonly revoker: IssuerRevoker;
  readonly pulse: FeedPulse;
  /** Whether a verification with this `state` was asked for; undefined: nothing is asked for on this way. */
  readonly isAwaited: ((state: string) => boolean) | undefined;
  /** Waits as long as it takes until keys may be fetched again; undefined: an event of an unknown key is not waited for. */
  readonly untilKeysMayChange: (() => Promise<void>) | undefined;
  /** Whether a fresh event is a sign of life: where nothing else is. */
  readonly eventsAreSigns: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

interface Admitted {
  readonly token: EventToken;
  readonly read: ReadEvents;
}

export function createEventReceiver(deps: EventReceiverDeps): EventReceiver {
  const { issuer, names, rules, keys, pulse, clock, log } = deps;
  const seen = createSeenIds(limits.maxSeenEvents);
  const counts = { received: 0, refused: 0, revoked: 0 };

  async function admit(text: string): Promise<Result<Admitted, FeedRefusal>> {
    const token = await verify(text);
    if (!token.ok) return token;
    const read = readEvents(token.value, names);
    return read.ok ? ok({ token: token.value, read: read.value }) : read;
  }

  /** Signed with a key that is newer than our look at the keys: it is the issuer's, and must not be lost. */
  async function verify(text: string): Promise<Result<EventToken, FeedRefusal>> {
    const token = await verifyEventToken(text, rules, keys, clock.now());
    if (token.ok || token.error.reason !== 'key_unknown' || deps.untilKeysMayChange === undefined)
      return token;
    await deps.untilKeysMayChange();
    return verifyEventToken(text, rules, keys, clock.now());
  }

  function refuse(why: FeedRefusal): EventOutcome {
    counts.refused += 1;
    log.warn('feed.event_refused', { issuer, reason: why.reason, detail: why.detail });
    return err(why);
  }

  /** What revokes nothing, and still is to be known. */
  function take({ token, read }: Admitted): void {
    for (const what of read.passedOver)
      log.info('feed.event_passed_over', { issuer, what: what.slice(0, 200) });
    if (read.streamStatus !== undefined) {
      pulse.stopped(read.streamStatus === 'stopped');
      log.warn('feed.stream_updated', { issuer, status: read.streamStatus });
    }
    if (isSignOfLife(token, read)) pulse.heard();
  }

  /** An old event that somebody held back must not make the feed look alive. */
  function isSignOfLife(token: EventToken, { verification }: ReadEvents): boolean {
    if (!deps.eventsAreSigns) return false;
    if (verification?.state !== undefined) return deps.isAwaited?.(verification.state) ?? false;
    return clock.now() / 1_000 - token.issuedAt <= limits.feedSilenceMs / 1_000;
  }

  async function revoke(revocations: readonly OwnRevocation[]): Promise<Result<void, FeedRefusal>> {
    if (revocations.length === 0) return ok(undefined);
    const denied = await deps.revoker.deny(revocations, `feed of ${issuer}`);
    if (!denied.ok) return err(feedRefusal('not_stored', `${denied.error.reason}: ${denied.error.message}`));
    counts.revoked += revocations.length;
    return ok(undefined);
  }

  return {
    async receive(texts) {
      counts.received += texts.length;
      const all = await Promise.all(texts.map(admit));
      const fresh: Admitted[] = [];
      const outcomes = all.map((one): EventOutcome => {
        if (!one.ok) return refuse(one.error);
        if (seen.has(one.value.token.id)) return ok('seen');
        fresh.push(one.value);
        return ok('done');
      });
      const revoked = await revoke(fresh.flatMap(({ read }) => read.revocations));
      // Alive or not: while what comes cannot be acted upon, the feed is worth nothing.
      const isFailing = !revoked.ok || all.some((one) => !one.ok && isPassing(one.error));
      if (isFailing || fresh.length > 0) pulse.failing(isFailing);
      if (!revoked.ok) {
        log.error('feed.not_revoked', { issuer, detail: revoked.error.detail });
        return outcomes.map((outcome) => (outcome.ok && outcome.value === 'done' ? revoked : outcome));
      }
      // Not before they are kept: what is delivered again after a failure must count.
      for (const admitted of fresh) {
        seen.add(admitted.token.id);
        take(admitted);
      }
      return outcomes;
    },
    counts: () => ({ ...counts }),
  };
}
