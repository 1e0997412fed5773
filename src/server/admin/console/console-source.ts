import type { AuditStatus } from '#audit/audit-log.ts';
import type { RecentRecords } from '#audit/recent-records.ts';
import type { BackendHealth } from '#backends/backend.ts';
import type { ChangeHistory } from '#catalog/change-history.ts';
import type { BackendState, Snapshot } from '#catalog/snapshot.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { BackendSeries } from '#observability/backend-series.ts';
import type { GrantSummary } from '#vault/grant.ts';

/** A backend or server as the configuration has it, with how it is at the moment. */
export interface SourceBackend {
  readonly kind: 'application' | 'server';
  readonly identity: string;
  /** Its host, or that it is a command. */
  readonly place: string;
  readonly health: BackendHealth;
}

/** Somebody with linked accounts, under the name that this month's records give them. */
export interface GrantHolder {
  readonly pseudonym: string;
  readonly grants: readonly Omit<GrantSummary, 'account'>[];
}

/** What the console shows: read at the moment of asking, and nothing of it a secret. */
export interface ConsoleSource {
  readonly version: string;
  readonly startedAt: number;
  readonly name: () => string;
  readonly isReady: () => boolean;
  readonly mayRecord: () => boolean;
  readonly auditStatus: () => AuditStatus;
  readonly snapshot: () => Snapshot;
  readonly states: () => ReadonlyMap<BackendId, BackendState>;
  readonly backend: (id: BackendId) => SourceBackend | undefined;
  /** Plan -> its scopes and those that they imply. */
  readonly plans: () => ReadonlyMap<string, ReadonlySet<string>>;
  readonly issuers: () => readonly string[];
  readonly integrity: () => JsonObject;
  /** Issuers whose feed of revocations is lost. */
  readonly lostFeeds: () => readonly string[];
  readonly records: RecentRecords;
  readonly series: BackendSeries;
  readonly history: ChangeHistory;
  /** One page of those who have something in the vault, and how many there are. */
  readonly holders: (
    skip: number,
    take: number,
  ) => Promise<{ readonly holders: readonly GrantHolder[]; readonly total: number }>;
}
