import type { AuditLog } from '#audit/audit-log.ts';
import type { Config } from '#config/config.ts';
import { type BaselineKeeper, createBaselineKeeper } from '#integrity/baseline-keeper.ts';
import { createIntegrityGuard, type GuardDeps, type IntegrityGuard } from '#integrity/guard.ts';
import { createIntegrityDesk, type IntegrityDesk } from '#integrity/integrity-desk.ts';
import { isBackendId } from '#kernel/ids.ts';
import { deriveRing, type KeyRing } from '#keys/key-ring.ts';
import { createSigner, createVerifier } from '#keys/signer.ts';
import { loadSeenBaseline, saveSeenBaseline } from '#store/baseline-rows.ts';
import type { Store } from '#store/store.ts';
import { StartError } from './start-error.ts';

export interface IntegrityDeps extends Pick<GuardDeps, 'catalog' | 'clock' | 'schedule' | 'log' | 'pinsNew'> {
  readonly config: () => Config;
  readonly store: Store;
  /** What a baseline of the gateway's own is signed with is made of it. */
  readonly checkpointKeys: KeyRing;
  readonly act: AuditLog['act'];
}

/** The guard over everything that is listed, and what operators may ask of it. */
export interface Integrity {
  readonly guard: IntegrityGuard;
  readonly desk: IntegrityDesk;
}

/** The file and the keys are those of the start; the mode is that of the moment. */
export function createIntegrity(deps: IntegrityDeps): Integrity {
  const { config, act } = deps;
  const mode = () => config().integrity.mode;
  // Servers say nothing about scopes: the configuration does.
  const scopesAreOurs = (backend: string) => isBackendId(backend) && config().servers.has(backend);
  const keeper = keeperOf(deps);
  const guard = createIntegrityGuard({
    ...deps,
    keeper,
    mode,
    scans: () => config().integrity.scan,
    scopesAreOurs,
    act: (fields) => void act('admin', { actor: 'gateway', ...fields }),
  });
  const path = config().integrity.baseline;
  return { guard, desk: createIntegrityDesk({ guard, keeper, mode, path, scopesAreOurs, act }) };
}

function keeperOf({ config, store, checkpointKeys, clock, log }: IntegrityDeps): BaselineKeeper {
  const { baseline: path, publicKey } = config().integrity;
  const memory = {
    load: (file: string) => loadSeenBaseline(store, file),
    save: (file: string, seen: { readonly at: number; readonly digest: string }) =>
      saveSeenBaseline(store, file, seen),
  };
  if (publicKey !== undefined && !createVerifier([publicKey]).ok)
    throw new StartError('integrity.public_key is no Ed25519 public key');
  // Making keys takes a millisecond: not before somebody needs them.
  let made: ReturnType<Parameters<typeof createBaselineKeeper>[0]['keys']> | undefined;
  const keys = () => {
    made ??= keysOf(publicKey, checkpointKeys);
    return made;
  };
  return createBaselineKeeper({
    path,
    isOperatorSigned: publicKey !== undefined,
    keys,
    memory,
    clock,
    log,
  });
}

function keysOf(publicKey: string | undefined, checkpointKeys: KeyRing) {
  if (publicKey === undefined) {
    const signer = createSigner(deriveRing(checkpointKeys, 'cortex baseline signing'));
    return { verifier: signer, signer };
  }
  const verifier = createVerifier([publicKey]);
  if (!verifier.ok) throw new StartError('integrity.public_key is no Ed25519 public key');
  return { verifier: verifier.value, signer: undefined };
}
