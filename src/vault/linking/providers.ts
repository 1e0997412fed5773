import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import { ok, type Result } from '#kernel/result.ts';
import { createRecent } from '../recent.ts';
import { discoverIssuer, type Reach } from './discovery.ts';
import { createEgress, type EgressOptions } from './egress.ts';
import type { LinkFailure } from './link-failure.ts';
import type { LinkedServer } from './linked-server.ts';
import { providerLimits } from './provider-limits.ts';
import { assumedMetadata, type ServerMetadata } from './server-metadata.ts';

/** How each server's provider is reached: connections of its own, since what it may reach is its own. */
export interface Providers {
  reach(id: string, server: LinkedServer): Reach;
  /** An authorization server's metadata for refresh and revocation, asked for every ten minutes. */
  metadata(id: string, server: LinkedServer, issuer: string): Promise<Result<ServerMetadata, LinkFailure>>;
  close(): Promise<void>;
}

export function createProviders(deps: {
  readonly clock: Clock;
  readonly egress?: EgressOptions;
  readonly timeoutMs: number;
}): Providers {
  const { clock, timeoutMs } = deps;
  const reaches = new Map<string, { readonly rules: string; readonly reach: Reach }>();
  const known = createRecent<{ readonly until: number; readonly metadata: ServerMetadata }>(
    limits.maxBackends,
  );
  const closing = new Set<Promise<void>>();

  function drop(id: string): void {
    const outbound = reaches.get(id)?.reach.egress.outbound;
    reaches.delete(id);
    if (outbound === undefined) return;
    const closed = outbound.close();
    closing.add(closed);
    void closed.then(() => closing.delete(closed));
  }

  const reachOf = (id: string, server: LinkedServer): Reach => {
    const rules = JSON.stringify([server.url, server.allowHttp, server.allowPrivate]);
    const before = reaches.get(id);
    if (before?.rules === rules) return before.reach;
    drop(id);
    const reach = { egress: createEgress(server, deps.egress), timeoutMs };
    reaches.set(id, { rules, reach });
    for (const oldest of reaches.keys()) {
      if (reaches.size <= limits.maxBackends) break;
      drop(oldest);
    }
    return reach;
  };

  return {
    reach: reachOf,
    async metadata(id, server, issuer) {
      const name = JSON.stringify([id, issuer]);
      const before = known.get(name);
      if (before !== undefined && before.until > clock.monotonic()) return ok(before.metadata);
      const found = await discoverIssuer(issuer, reachOf(id, server));
      const isAssumed =
        !found.ok && found.error.reason === 'metadata_missing' && issuer === new URL(server.url).origin;
      if (!found.ok && !isAssumed) return found;
      const metadata = found.ok ? found.value : assumedMetadata(issuer);
      known.set(name, { until: clock.monotonic() + providerLimits.metadataAgeMs, metadata });
      return ok(metadata);
    },
    async close() {
      for (const id of [...reaches.keys()]) drop(id);
      await Promise.all(closing);
    },
  };
}
