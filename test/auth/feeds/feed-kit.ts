import type { IssuerFeedOptions } from '#auth/feeds/feed-options.ts';
import { createFeeds, type Feeds } from '#auth/feeds/feeds.ts';
import type { OwnRevocation } from '#auth/feeds/read-events.ts';
import { defaultAlgorithms } from '#auth/options.ts';
import type { DenyFailure } from '#auth/revocation.ts';
import type { Clock } from '#kernel/clock.ts';
import { type Log, type LogFields, silentLog } from '#kernel/log.ts';
import { err, ok } from '#kernel/result.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { createFetchJson } from '#outbound/fetch-json.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { createIssuer, type TestIssuer } from '../../support/issuer.ts';

export const audience = 'https://gateway.example/mcp';
/** Time between two moments passes so many times as fast, for clock and timers alike. */
export const pace = 10;

export interface FeedKit extends AsyncDisposable {
  readonly issuer: TestIssuer;
  readonly feeds: Feeds;
  /** What the deny-list was told, in order. */
  readonly denied: readonly (OwnRevocation & { readonly issuer: string })[];
  /** From now on the deny-list answers so. */
  failWith(reason: DenyFailure['reason'] | undefined): void;
  readonly logged: readonly (LogFields & { readonly event: string })[];
}

/** The feeds of one issuer, over real sockets, with a deny-list that writes down what it is told. */
export async function openKit(
  feedOf: (issuer: TestIssuer) => Partial<NonNullable<IssuerFeedOptions['feed']>>,
): Promise<FeedKit> {
  const issuer = await createIssuer({ audience, algorithm: 'ES256' });
  const outbound = createOutbound();
  const denied: (OwnRevocation & { issuer: string })[] = [];
  const logged: (LogFields & { event: string })[] = [];
  let failure: DenyFailure['reason'] | undefined;
  const write = (event: string, fields?: LogFields) => void logged.push({ ...fields, event });
  const log: Log = { ...silentLog, info: write, warn: write, error: write };
  const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() * pace };
  const feeds = createFeeds(
    [
      {
        issuer: issuer.url,
        jwksUri: undefined,
        algorithms: defaultAlgorithms,
        maxTokenAgeSeconds: 86_400,
        logoutAudience: [],
        feed: {
          kind: 'stream',
          url: undefined,
          token: undefined,
          client: undefined,
          issuer: issuer.url,
          jwksUri: undefined,
          audience: [audience],
          verification: undefined,
          ...feedOf(issuer),
        },
      },
    ],
    {
      revokerFor: (of) => ({
        async deny(revocations) {
          if (failure !== undefined) return err({ reason: failure, message: 'as the test wants' });
          denied.push(...revocations.map((one) => ({ ...one, issuer: of })));
          return ok({ replicas: 1, ms: 0, closed: { streams: 0, calls: 0 } });
        },
      }),
      outbound,
      fetchJson: createFetchJson(outbound),
      clock,
      schedule: (ms, task) => systemSchedule(ms / pace, task),
      random: () => 1,
      log,
    },
  );
  return {
    issuer,
    feeds,
    denied,
    logged,
    failWith(reason) {
      failure = reason;
    },
    async [Symbol.asyncDispose]() {
      await feeds.close();
      await outbound.close();
      await issuer.close();
    },
  };
}

/** Resolves once it is so; fails after so many seconds of a clock on the wall. */
export async function until(isSo: () => boolean, what: string, seconds = 45): Promise<void> {
  const startedMs = performance.now();
  while (!isSo()) {
    if (performance.now() - startedMs > seconds * 1_000) throw new Error(`never: ${what}`);
    await Bun.sleep(5);
  }
}
