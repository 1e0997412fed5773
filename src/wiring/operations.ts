import type { AuditLog } from '#audit/audit-log.ts';
import type { Feeds } from '#auth/feeds/feeds.ts';
import type { IntegrityDesk } from '#integrity/integrity-desk.ts';
import { ok } from '#kernel/result.ts';
import type { Operations } from '#server/operation.ts';
import type { VaultDesk } from '#vault/vault-desk.ts';
import { auditOperations } from './audit-operations.ts';
import { type CatalogOperationsDeps, catalogOperations } from './catalog-operations.ts';
import { feedOperations } from './feed-operations.ts';
import { integrityOperations } from './integrity-operations.ts';
import { type NamedRevocationDeps, revocationOperations } from './revocation-operations.ts';
import { type SightOperationsDeps, sightOperations } from './sight-operations.ts';
import { vaultOperations } from './vault-operations.ts';

export interface OperationsDeps {
  readonly version: string;
  readonly isReady: () => boolean;
  /** Reads the configuration anew and gives what is wrong with it; undefined: nobody can here. */
  readonly reload: (() => Promise<readonly string[]>) | undefined;
  readonly vault: VaultDesk;
  readonly catalog: CatalogOperationsDeps['catalog'];
  readonly catalogLink: CatalogOperationsDeps['link'];
  readonly sight: Omit<SightOperationsDeps, 'act'>;
  readonly feeds: Pick<Feeds, 'reports'>;
  readonly integrity: IntegrityDesk;
  /** Whether the audit admits an act now. */
  readonly mayRecord: () => boolean;
  readonly audit: Parameters<typeof auditOperations>[0];
  readonly revocation: NamedRevocationDeps;
  readonly act: AuditLog['act'];
}

/** Everything an operator may ask, on the control socket and on the admin listener: each area adds its own here. */
export function createOperations(deps: OperationsDeps): Operations {
  const { version, isReady, mayRecord, reload, catalog, catalogLink: link, act } = deps;
  const states = () =>
    [...catalog.snapshot().backends.values()].map(({ id, status, lastGoodAt, lastError }) => ({
      id,
      status,
      lastGoodAt,
      lastError,
    }));
  return {
    'GET /status': {
      role: 'read',
      run: async () =>
        ok({
          pid: process.pid,
          version,
          ready: isReady(),
          audit: { writable: mayRecord() },
          backends: states(),
          integrity: deps.integrity.status(),
        }),
    },
    ...(reload && {
      'POST /reload': {
        role: 'operate',
        async run(_input, actor) {
          const problems = await reload();
          await act('admin', { action: 'config.reload', actor, problems: problems.length });
          return ok({ problems });
        },
      },
    }),
    ...catalogOperations({ catalog, link, act }),
    ...sightOperations({ ...deps.sight, act }),
    ...vaultOperations(deps.vault, act),
    ...feedOperations(deps.feeds),
    ...integrityOperations(deps.integrity),
    ...auditOperations(deps.audit),
    ...revocationOperations(deps.revocation),
  };
}
