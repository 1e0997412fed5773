import { existsSync } from 'node:fs';
import { type AuditLog, openAuditLog } from '#audit/audit-log.ts';
import { createPseudonyms } from '#audit/pseudonyms.ts';
import type { Config } from '#config/config.ts';
import { auditOptionsOf, keyOriginsOf } from '#gateway-options.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { openKeyInventory } from '#keys/inventory.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import { createSigner } from '#keys/signer.ts';
import { eraseAuditCalls } from '#store/audit-call-rows.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { createVaultDesk, type VaultDesk } from '#vault/vault-desk.ts';
import { openConfiguredVault, unlinkAlone } from '#wiring/configured-vault.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/** Lets `work` have the vault while no gateway runs: opens the store, the keys and the audit, and closes them again. */
export async function withLocalVault<T>(config: Config, work: (desk: VaultDesk) => Promise<T>): Promise<T> {
  if (!existsSync(config.store.path)) {
    throw new UserError(`there is no vault in ${config.store.path}`, {
      exitCode: exitCodes.no,
      next: 'start the gateway once: cortex serve',
    });
  }
  const deps = { config, store: openSqliteStore(config.store.path), clock: systemClock, log: silentLog };
  const closings: (() => Promise<void>)[] = [() => deps.store.close()];
  try {
    const opened = await openConfiguredVault(deps, 'read');
    if (!opened.ok) throw keyError(opened.error);
    const vault = opened.value;
    closings.push(() => vault.close());
    const keys = openKeyInventory(config.keys.dir, keyOriginsOf(config));
    if (!keys.ok) throw keyError(describeKeyProblem(keys.error));
    const pseudonyms = createPseudonyms({
      ...deps,
      keys: keys.value.audit,
      beforeForget: (names) => eraseAuditCalls(deps.store, names),
    });
    const signer = createSigner(keys.value.checkpoint);
    let audit: AuditLog | undefined;
    /** Who only looks leaves no mark. */
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
    const unlink = unlinkAlone({ ...deps, vault });
    const issuers = () => config.auth.issuers.map(({ url }) => url);
    return await work(createVaultDesk({ vault, unlink, issuers, pseudonyms, act }));
  } finally {
    for (const close of closings.reverse()) await close();
  }
}

function keyError(message: string): UserError {
  return new UserError(message, { next: 'run it as the gateway’s user, with the gateway’s configuration' });
}
