import type { Feeds } from '#auth/feeds/feeds.ts';
import { ok } from '#kernel/result.ts';
import type { Operations } from '#server/operation.ts';

/** What operators may ask about the feeds. */
export function feedOperations(feeds: Pick<Feeds, 'reports'>): Operations {
  return {
    'GET /feeds': {
      role: 'read',
      run: async () =>
        ok({
          feeds: feeds.reports().map(({ issuer, kind, isLost, silentMs, received, refused, revoked }) => ({
            issuer,
            kind,
            state: isLost ? 'lost' : 'alive',
            silent_ms: silentMs === undefined ? null : Math.round(silentMs),
            received,
            refused,
            revoked,
          })),
        }),
    },
  };
}
