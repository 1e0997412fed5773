import { existsSync } from 'node:fs';
import { type AuditLog, openAuditLog } from '#audit/audit-log.ts';
import { createPseudonyms, type Pseudonyms } from '#audit/pseudonyms.ts';
import type { Config } from '#config/config.ts';
import { auditOptionsOf, keyOriginsOf } from '#gateway-options.ts';
import { type Clock, systemClock } from '#kernel/clock.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { openKeyInventory } from '#keys/inventory.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import { createSigner } from '#keys/signer.ts';
import { eraseAuditCalls } from '#store/audit-call-rows.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import { openRevocations, type Revocations } from '#wiring/revocation.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/** What the state of a gateway holds, for commands that work on it while none runs. */
export interface LocalState {
  readonly config: Config;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly pseudonyms: Pseudonyms;
  /** Opens the audit at the first act: who only looks leaves no mark. */
  readonly act: AuditLog['act'];
  /** Denials are kept; there is no gateway to confirm them. */
  readonly revocations: () => Promise<Revocations>;
  /** Called at the end, the last first. */
  readonly closings: (() => Promise<void>)[];
}

/** Opens the store and the keys of a gateway that does not run, lets `work` have them, and closes them again. */
export async function withLocalState<T>(
  config: Config,
  what: string,
  work: (state: LocalState) => Promise<T>,
): Promise<T> {
  if (!existsSync(config.store.path)) {
    throw new UserError(`there is no ${what} in ${config.store.path}`, {
      exitCode: exitCodes.no,
      next: 'start the gateway once: cortex serve',
    });
  }
  const deps = { config, store: openSqliteStore(config.store.path), clock: systemClock, log: silentLog };
  const closings: (() => Promise<void>)[] = [() => deps.store.close()];
  try {
    const keys = openKeyInventory(config.keys.dir, keyOriginsOf(config));
    if (!keys.ok) throw keyError(describeKeyProblem(keys.error));
    const pseudonyms = createPseudonyms({
      ...deps,
      keys: keys.value.audit,
      beforeForget: (names) => eraseAuditCalls(deps.store, names),
    });
    const signer = createSigner(keys.value.checkpoint);
    let audit: AuditLog | undefined;
    const act: AuditLog['act'] = async (kind, fields) => {
      audit ??= await openAuditLog({
        ...auditOptionsOf(config),
        ...deps,
        signer,
        pseudonyms,
        copy: undefined,
      });
      return audit.act(kind, fields);
    };
    closings.push(async () => audit?.close());
    const revocations = async () => {
      const opened = await openRevocations({
        ...deps,
        config: () => config,
        bus: { publish: async () => [], join: () => () => {} },
        audit: { act },
        pseudonyms,
      });
      closings.push(async () => {
        await opened.recorded();
        opened.denyList.close();
      });
      return opened;
    };
    return await work({ ...deps, pseudonyms, act, revocations, closings });
  } finally {
    for (const close of closings.reverse()) await close();
  }
}

export function keyError(message: string): UserError {
  return new UserError(message, { next: 'run it as the gateway’s user, with the gateway’s configuration' });
}
