import { timingSafeEqual } from 'node:crypto';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { FeedHealth } from '../feed-health.ts';
import { peekToken, quote } from '../peek-token.ts';
import { type IssuerFeedOptions, isSameFeed } from './feed-options.ts';
import { createLogoutReceiver, type LogoutReceiver } from './logout-receiver.ts';
import { type FeedDeps, keysOf, type OpenFeed, openFeed } from './open-feed.ts';
import { type FeedRefusal, feedRefusal } from './refusal.ts';

/** What one feed does; for operators. */
export interface FeedReport {
  readonly issuer: string;
  readonly kind: 'stream' | 'push' | 'poll';
  readonly isLost: boolean;
  /** Since the last sign of life; undefined: there was none yet. */
  readonly silentMs: number | undefined;
  readonly received: number;
  readonly refused: number;
  readonly revoked: number;
}

/** All issuers' feeds. Each speaks for its own issuer alone. */
export interface Feeds extends FeedHealth {
  /** Whether anybody pushes, or ends sessions: without, the addresses are not there. */
  takesPushes(): boolean;
  takesLogouts(): boolean;
  /** One security event token, and what came in `Authorization`. Resolves when it is revoked everywhere. */
  push(text: string, authorization: string | null): Promise<Result<void, FeedRefusal>>;
  /** One logout token. */
  logout(text: string): Promise<Result<void, FeedRefusal>>;
  reports(): readonly FeedReport[];
  /** Takes over other options; feeds that stay the same go on. */
  replace(issuers: readonly IssuerFeedOptions[]): void;
  close(): Promise<void>;
}

interface OfIssuer {
  readonly options: IssuerFeedOptions;
  readonly feed: OpenFeed | undefined;
  readonly logout: LogoutReceiver | undefined;
  readonly openedAt: number;
  /** As it was logged; undefined: not yet. */
  wasLost: boolean | undefined;
  close(): Promise<void>;
}

export function createFeeds(issuers: readonly IssuerFeedOptions[], deps: FeedDeps): Feeds {
  const { clock, log } = deps;
  let open = new Map<string, OfIssuer>();
  const closing = new Set<Promise<void>>();
  let inFlight = 0;
  const watch = setInterval(() => {
    for (const one of open.values()) logChange(one);
  }, limits.feedWatchMs).unref();

  function openIssuer(options: IssuerFeedOptions): OfIssuer {
    const { issuer, feed, logoutAudience, algorithms } = options;
    const opened = feed === undefined ? undefined : openFeed(options, feed, deps);
    const keys = logoutAudience.length === 0 ? undefined : keysOf(issuer, options.jwksUri, deps);
    const revoker = deps.revokerFor(issuer);
    return {
      options,
      feed: opened,
      logout:
        keys &&
        createLogoutReceiver({ issuer, audience: logoutAudience, algorithms, keys, revoker, clock, log }),
      openedAt: clock.monotonic(),
      wasLost: undefined,
      async close() {
        keys?.close();
        await opened?.close();
      },
    };
  }

  function logChange(one: OfIssuer): void {
    if (one.feed === undefined) return;
    const isLost = one.feed.pulse.isLost();
    const isTooEarly = isLost && clock.monotonic() - one.openedAt < limits.feedSilenceMs;
    if (isTooEarly || isLost === one.wasLost) return;
    one.wasLost = isLost;
    const { issuer } = one.options;
    if (isLost) log.error('feed.lost', { issuer, silent_ms: one.feed.pulse.silentMs() });
    else log.info('feed.alive', { issuer });
  }

  /** Bounded: each one may cost a signature, and the keys are looked for on anybody's account. */
  async function deliver(
    take: () => Promise<Result<unknown, FeedRefusal>>,
  ): Promise<Result<void, FeedRefusal>> {
    if (inFlight >= limits.maxEventsInFlight) return err(feedRefusal('busy'));
    inFlight += 1;
    try {
      const taken = await take();
      return taken.ok ? ok(undefined) : taken;
    } finally {
      inFlight -= 1;
    }
  }

  /** It is no known issuer's. */
  function turnAway(why: FeedRefusal): Result<never, FeedRefusal> {
    log.info('feed.sender_refused', { reason: why.reason, detail: why.detail });
    return err(why);
  }

  function replace(next: readonly IssuerFeedOptions[]): void {
    const before = open;
    open = new Map();
    for (const options of next) {
      const known = before.get(options.issuer);
      const stays = known !== undefined && isSameFeed(known.options, options);
      open.set(options.issuer, stays ? known : openIssuer(options));
    }
    for (const one of before.values()) if (open.get(one.options.issuer) !== one) retire(one);
  }

  function retire(one: OfIssuer): void {
    const closed = one.close().finally(() => closing.delete(closed));
    closing.add(closed);
  }

  replace(issuers);
  const pushed = () =>
    [...open.values()].flatMap(({ feed }) => (feed?.options.kind === 'push' ? [feed] : []));
  const logouts = () => [...open.values()].flatMap(({ logout }) => (logout === undefined ? [] : [logout]));

  return {
    isLost: (issuer) => open.get(issuer)?.feed?.pulse.isLost() ?? false,
    takesPushes: () => pushed().length > 0,
    takesLogouts: () => logouts().length > 0,
    push: (text, authorization) =>
      deliver(async () => {
        const admitted = pushed().filter(({ options }) => shows(authorization, options.token?.reveal()));
        if (admitted.length === 0) return turnAway(feedRefusal('unauthenticated'));
        const sender = senderOf(text);
        if (!sender.ok) return turnAway(sender.error);
        const meant = admitted.filter(({ options }) => options.issuer === sender.value);
        if (meant.length === 0) return turnAway(feedRefusal('issuer_unknown', `iss ${quote(sender.value)}`));
        // One sender may speak for several issuers, each with a feed of its own: all of them must have it.
        const outcomes = (await Promise.all(meant.map(({ receiver }) => receiver.receive([text])))).flat();
        return outcomes.find((outcome) => !outcome.ok) ?? ok(undefined);
      }),
    logout: (text) =>
      deliver(async () => {
        const sender = senderOf(text);
        if (!sender.ok) return turnAway(sender.error);
        const meant = logouts().find(({ issuer }) => issuer === sender.value);
        return meant?.receive(text) ?? turnAway(feedRefusal('issuer_unknown', `iss ${quote(sender.value)}`));
      }),
    reports: () =>
      [...open.values()].flatMap(({ options, feed }) =>
        feed === undefined
          ? []
          : [
              {
                issuer: options.issuer,
                kind: feed.options.kind,
                isLost: feed.pulse.isLost(),
                silentMs: feed.pulse.silentMs(),
                ...feed.receiver.counts(),
              },
            ],
      ),
    replace,
    async close() {
      clearInterval(watch);
      for (const one of open.values()) retire(one);
      open = new Map();
      await Promise.all(closing);
    },
  };
}

function senderOf(text: string): Result<string | undefined, FeedRefusal> {
  if (text.length > limits.maxEventTokenBytes) return err(feedRefusal('too_large', `${text.length} bytes`));
  const peeked = peekToken(text);
  return peeked.ok ? ok(peeked.value.issuer) : err(feedRefusal('malformed'));
}

/** Whether the header shows the token, in the same time whatever it shows. Undefined: no token was agreed upon. */
function shows(authorization: string | null, token: string | undefined): boolean {
  if (token === undefined) return true;
  const shown = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(Bun.SHA256.hash(shown), Bun.SHA256.hash(token));
}
