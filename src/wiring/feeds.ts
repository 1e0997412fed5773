import type { DenyList } from '#auth/deny-list.ts';
import type { FeedOptions, IssuerFeedOptions } from '#auth/feeds/feed-options.ts';
import { createFeeds, type Feeds } from '#auth/feeds/feeds.ts';
import { defaultAlgorithms } from '#auth/options.ts';
import type { Config, IssuerConfig } from '#config/config.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import type { FetchJson } from '#outbound/fetch-json.ts';
import type { Outbound } from '#outbound/outbound.ts';

/** The feeds of the configured issuers, each bound to its own part of the deny-list. */
export function openFeeds(
  config: Config,
  deps: {
    readonly denyList: Pick<DenyList, 'denyListFor'>;
    readonly outbound: Outbound;
    readonly fetchJson: FetchJson;
    readonly clock: Clock;
    readonly log: Log;
  },
): Feeds {
  const { denyList, ...rest } = deps;
  return createFeeds(feedOptionsOf(config), {
    ...rest,
    revokerFor: denyList.denyListFor,
    schedule: systemSchedule,
    random: Math.random,
  });
}

/** The configuration's words as the feeds' own options. Pure. */
export function feedOptionsOf({ auth, gateway }: Config): readonly IssuerFeedOptions[] {
  return auth.issuers.map((issuer) => ({
    issuer: issuer.url,
    jwksUri: issuer.jwksUri,
    algorithms: issuer.algorithms ?? defaultAlgorithms,
    maxTokenAgeSeconds: issuer.maxTokenAgeSeconds,
    feed: feedOf(issuer, gateway.url),
    logoutAudience: issuer.backchannelLogout,
  }));
}

function feedOf({ url, jwksUri, revocationFeed }: IssuerConfig, resource: string): FeedOptions | undefined {
  if (revocationFeed === undefined) return undefined;
  return {
    ...revocationFeed,
    issuer: revocationFeed.issuer ?? url,
    jwksUri: revocationFeed.jwksUri ?? jwksUri,
    audience: revocationFeed.audience ?? [resource],
  };
}
