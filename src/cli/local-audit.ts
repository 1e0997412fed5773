import { existsSync } from 'node:fs';
import { type AuditLog, openAuditLog } from '#audit/audit-log.ts';
import { createPseudonyms } from '#audit/pseudonyms.ts';
import { createReveal, type Reveal } from '#audit/reveal.ts';
import type { Config } from '#config/config.ts';
import { auditOptionsOf } from '#gateway-options.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { type KeyName, openKeyRing } from '#keys/inventory.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import type { KeyRing } from '#keys/key-ring.ts';
import { createSigner } from '#keys/signer.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { UserError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/** Lets `work` name people while no gateway runs: opens the store and the keys, and the audit when something is recorded. */
export async function withLocalReveal<T>(config: Config, work: (reveal: Reveal) => Promise<T>): Promise<T> {
  if (!existsSync(config.store.path)) {
    throw new UserError(`there is no store in ${config.store.path}`, {
      exitCode: exitCodes.no,
      next: 'start the gateway once: cortex serve',
    });
  }
  const keys = ringOf(config, 'audit');
  const signer = createSigner(ringOf(config, 'checkpoint'));
  const deps = { store: openSqliteStore(config.store.path), clock: systemClock, log: silentLog };
  let audit: AuditLog | undefined;
  try {
    const pseudonyms = createPseudonyms({ ...deps, keys });
    const options = auditOptionsOf(config);
    const act: AuditLog['act'] = async (kind, fields) => {
      audit ??= await openAuditLog({ ...options, ...deps, signer, pseudonyms, copy: undefined });
      return audit.act(kind, fields);
    };
    return await work(createReveal({ pseudonyms, act, retentionMs: options.retentionMs }));
  } finally {
    await audit?.close();
    await deps.store.close();
  }
}

function ringOf(config: Config, name: KeyName & ('audit' | 'checkpoint')): KeyRing {
  const ring = openKeyRing(config.keys.dir, name, config.keys[name], 'read');
  if (ring.ok) return ring.value;
  throw new UserError(describeKeyProblem(ring.error), {
    next: 'run it as the gateway’s user, with the gateway’s configuration',
  });
}
