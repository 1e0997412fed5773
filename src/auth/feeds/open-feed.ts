import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { FetchJson } from '../discovery.ts';
import { createIssuerKeys, type IssuerKeys } from '../issuer-keys.ts';
import type { IssuerRevoker } from '../revocation.ts';
import { askForLife, type LifeAsking } from './ask-for-life.ts';
import { createEventReceiver, type EventReceiver } from './event-receiver.ts';
import type { FeedOptions, IssuerFeedOptions } from './feed-options.ts';
import { createFeedPulse, type FeedPulse } from './feed-pulse.ts';
import { pause } from './pause.ts';
import { openPollFeed } from './poll-feed.ts';
import { openStreamFeed, type RunningFeed } from './stream-feed.ts';

export interface FeedDeps {
  readonly revokerFor: (issuer: string) => IssuerRevoker;
  readonly outbound: Outbound;
  readonly fetchJson: FetchJson;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly random: () => number;
  readonly log: Log;
}

/** One issuer's feed at work. */
export interface OpenFeed {
  readonly options: FeedOptions;
  readonly receiver: EventReceiver;
  readonly pulse: FeedPulse;
  close(): Promise<void>;
}

/** Begins to read, to collect, or to wait for what is pushed. */
export function openFeed(of: IssuerFeedOptions, options: FeedOptions, deps: FeedDeps): OpenFeed {
  const { issuer } = of;
  const { outbound, clock, schedule, random, log } = deps;
  const closed = new AbortController();
  const pulse = createFeedPulse(clock, limits.feedSilenceMs);
  const keys = keysOf(options.issuer, options.jwksUri, deps);
  const refresher = setInterval(() => void keys.refresh(), limits.jwksRefreshMs).unref();
  const isPush = options.kind === 'push';
  const asking = askingOf(issuer, options, deps);
  const receiver = createEventReceiver({
    issuer,
    names: [...new Set([issuer, options.issuer])],
    rules: {
      issuer: options.issuer,
      audience: options.audience,
      algorithms: of.algorithms,
      types: ['secevent+jwt'],
      maxAgeSeconds: of.maxTokenAgeSeconds,
    },
    keys,
    revoker: deps.revokerFor(issuer),
    pulse,
    isAwaited: asking?.isAwaited,
    // Whoever pushes may be anybody until the signature is seen; nobody waits for keys on a stranger's account.
    untilKeysMayChange: isPush ? undefined : () => pause(limits.jwksCooldownMs, schedule, closed.signal),
    eventsAreSigns: isPush,
    clock,
    log,
  });
  const running = runningOf();

  function runningOf(): RunningFeed | undefined {
    const { url } = options;
    if (isPush || url === undefined) return asking;
    const headers = authorizationOf(options.token, options.client);
    const common = { issuer, url, headers, outbound, receiver, pulse, clock, schedule, random, log };
    return options.kind === 'poll' ? openPollFeed(common) : openStreamFeed(common);
  }

  return {
    options,
    receiver,
    pulse,
    async close() {
      closed.abort();
      clearInterval(refresher);
      await running?.close();
      keys.close();
    },
  };
}

export function keysOf(
  issuer: string,
  jwksUri: string | undefined,
  { fetchJson, clock, log }: Pick<FeedDeps, 'fetchJson' | 'clock' | 'log'>,
): IssuerKeys {
  return createIssuerKeys({ issuer, jwksUri, fetchJson, clock, log, onKeysChanged: () => {} });
}

function askingOf(issuer: string, options: FeedOptions, deps: FeedDeps): LifeAsking | undefined {
  const { verification } = options;
  if (verification === undefined) return undefined;
  const { outbound, schedule, log } = deps;
  const { url, token, streamId } = verification;
  return askForLife({
    issuer,
    url,
    headers: authorizationOf(token, undefined),
    streamId,
    outbound,
    schedule,
    log,
  });
}

/** A bearer token, or HTTP Basic as RFC 6749 section 2.3.1 has it. */
function authorizationOf(
  token: Secret | undefined,
  client: FeedOptions['client'],
): Readonly<Record<string, string>> {
  if (token !== undefined) return { authorization: `Bearer ${token.reveal()}` };
  if (client === undefined) return {};
  const pair = [client.id, client.secret?.reveal() ?? ''].map(encodeURIComponent).join(':');
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}
