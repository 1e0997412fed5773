import { type AuditLog, openAuditLog } from '#audit/audit-log.ts';
import { type CallIndex, createCallIndex } from '#audit/call-index.ts';
import { createPseudonyms, type Pseudonyms } from '#audit/pseudonyms.ts';
import type { RecentRecord } from '#audit/recent-records.ts';
import { createReveal, type Reveal } from '#audit/reveal.ts';
import type { Config } from '#config/config.ts';
import { auditOptionsOf } from '#gateway-options.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import type { KeyInventory } from '#keys/inventory.ts';
import { createSigner } from '#keys/signer.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { Store } from '#store/store.ts';
import { createConfiguredAnchors } from './anchor-sinks.ts';
import { startError } from './start-error.ts';

/** What is written down about calls, under which names, and how people find their own. Closed with the audit. */
export interface Records {
  readonly audit: AuditLog;
  readonly pseudonyms: Pseudonyms;
  readonly calls: CallIndex;
  readonly reveal: Reveal;
}

/** Throws a `StartError` where the audit cannot be written. */
export async function openRecords(deps: {
  readonly config: Config;
  readonly keys: KeyInventory;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly stdout: (text: string) => void;
  readonly outbound: Outbound;
  readonly version: string;
  readonly watch?: ((record: RecentRecord) => void) | undefined;
}): Promise<Records> {
  const { config, keys, store, clock, log } = deps;
  const options = auditOptionsOf(config);
  const calls = createCallIndex({ store, clock, log, retentionMs: options.retentionMs });
  const pseudonyms = createPseudonyms({
    keys: keys.audit,
    store,
    clock,
    log,
    beforeForget: (names) => calls.erase(names),
  });
  const anchors = createConfiguredAnchors(config.audit.anchors, deps);
  const audit = await openAuditLog({
    ...options,
    signer: createSigner(keys.checkpoint),
    pseudonyms,
    clock,
    log,
    copy: config.audit.stdout ? deps.stdout : undefined,
    index: calls,
    ...(anchors && { anchors }),
    ...(deps.watch && { watch: deps.watch }),
  }).catch((error: unknown) => {
    throw startError(`the audit cannot be written to ${config.audit.dir}`, error);
  });
  const reveal = createReveal({ pseudonyms, act: audit.act, retentionMs: options.retentionMs });
  return { audit, pseudonyms, calls, reveal };
}
