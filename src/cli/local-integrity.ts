import { existsSync } from 'node:fs';
import { type AuditLog, openAuditLog } from '#audit/audit-log.ts';
import { createPseudonyms } from '#audit/pseudonyms.ts';
import type { Config } from '#config/config.ts';
import { auditOptionsOf, keyOriginsOf } from '#gateway-options.ts';
import type { IntegrityDesk } from '#integrity/integrity-desk.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { openKeyInventory } from '#keys/inventory.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import { createSigner } from '#keys/signer.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { createIntegrity } from '#wiring/integrity.ts';
import { savedSnapshot } from '#wiring/saved-snapshot.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/**
 * Lets `work` have the baseline while no gateway runs: it is compared with the lists that the last one saw, and what was
 * never seen before is not accepted by looking at it.
 */
export async function withLocalIntegrity<T>(
  config: Config,
  work: (desk: IntegrityDesk) => Promise<T>,
): Promise<T> {
  if (!existsSync(config.store.path)) {
    throw new UserError(`no gateway has run on ${config.stateDir} yet`, {
      exitCode: exitCodes.no,
      next: 'start it once: cortex serve',
    });
  }
  const deps = { config, store: openSqliteStore(config.store.path), clock: systemClock, log: silentLog };
  const closings: (() => Promise<void>)[] = [() => deps.store.close()];
  try {
    const keys = openKeyInventory(config.keys.dir, keyOriginsOf(config));
    if (!keys.ok) {
      throw new UserError(describeKeyProblem(keys.error), {
        next: 'run it as the gateway’s user, with the gateway’s configuration',
      });
    }
    const { audit: auditKeys, checkpoint } = keys.value;
    let audit: AuditLog | undefined;
    /** Who only looks leaves no mark: the gateway has written its alarms down by itself. */
    const act: AuditLog['act'] = async (kind, fields) => {
      if (fields.actor === 'gateway') return true;
      audit ??= await openAuditLog({
        ...auditOptionsOf(config),
        ...deps,
        signer: createSigner(checkpoint),
        pseudonyms: createPseudonyms({ ...deps, keys: auditKeys, beforeForget: async () => {} }),
        copy: undefined,
      });
      return audit.act(kind, fields);
    };
    closings.push(async () => audit?.close());
    const snapshot = await savedSnapshot(config, deps.store);
    const { guard, desk } = createIntegrity({
      ...deps,
      config: () => config,
      catalog: { snapshot: () => snapshot, onChange: () => () => {} },
      checkpointKeys: checkpoint,
      pinsNew: false,
      schedule: systemSchedule,
      act,
    });
    closings.push(() => guard.close());
    await guard.open();
    return await work(desk);
  } finally {
    for (const close of closings.reverse()) await close();
  }
}
