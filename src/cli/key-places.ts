import { join } from 'node:path';
import type { Config } from '#config/config.ts';
import { keyOriginsOf, vaultKeySourcesOf } from '#gateway-options.ts';
import { createEs256Signer, type PublicJwk } from '#keys/es256-signer.ts';
import { type KeyName, type KeyProblem, openKeyRing } from '#keys/inventory.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import type { KeyRing } from '#keys/key-ring.ts';
import { createSigner } from '#keys/signer.ts';
import { openVaultRing } from '#keys/vault-ring.ts';

/** Every ring there is, and what it is for. */
export const keyUses = {
  seal: 'seals session ids and request states',
  audit: 'pseudonyms and fingerprints of the audit',
  checkpoint: 'signs the audit and the baseline',
  assertion: 'signs what identity: assert sends',
  vault: 'seals users’ accounts at servers',
} as const satisfies Record<KeyName | 'vault', string>;
export type RingName = keyof typeof keyUses;

export const ringNames = ['seal', 'audit', 'checkpoint', 'assertion', 'vault'] as const;

/** A ring as it may be shown: no secret of it is in here. */
export interface KeyReport {
  readonly name: RingName;
  readonly place: string;
  /** `absent`: the gateway makes it at its start. */
  readonly state: 'ready' | 'absent' | 'wrong';
  readonly problem: string | undefined;
  /** Newest first. */
  readonly ids: readonly string[];
  /** Of the rings that sign: as auditors (`checkpoint`) and backends (`assertion`) take them. */
  readonly publicKeys: readonly string[];
}

/** Looks at a ring without making anything. `hasSecrets`: values that the configuration holds could be read. */
export async function reportKey(config: Config, name: RingName, hasSecrets: boolean): Promise<KeyReport> {
  if (name !== 'vault') {
    const origin = keyOriginsOf(config)[name];
    const place = keyPath(config, name);
    const ring = openKeyRing(config.keys.dir, name, origin, 'read');
    return ring.ok
      ? ready(name, place, ring.value)
      : notReady(name, place, ring.error, origin.file !== undefined);
  }
  const sources = vaultKeySourcesOf(config);
  if (sources.text !== undefined && !hasSecrets)
    return {
      ...nothing,
      name,
      place: 'keys.vault.key',
      state: 'ready',
      problem: 'not read: see the warning',
    };
  const ring = await openVaultRing(sources, 'read');
  const isNamed = sources.text !== undefined || sources.file !== undefined;
  if (!ring.ok) return notReady(name, ring.error.path ?? 'keys.vault.key', ring.error, isNamed);
  return ready(name, ring.value.path ?? 'keys.vault.key', ring.value);
}

/** The public half of the assertion keys, as the gateway publishes it. */
export function assertionKeysOf(ring: KeyRing): readonly PublicJwk[] {
  return createEs256Signer(ring).publicKeys;
}

/** Where the ring's file is, or would be made. */
export function keyPath(config: Config, name: RingName): string {
  return config.keys[name].file ?? join(config.keys.dir, `${name}.key`);
}

const nothing = { problem: undefined, ids: [], publicKeys: [] } as const;

function ready(name: RingName, place: string, ring: KeyRing): KeyReport {
  return {
    ...nothing,
    name,
    place,
    state: 'ready',
    ids: ring.all.map(({ id }) => id),
    publicKeys: publicKeysOf(name, ring),
  };
}

function notReady(name: RingName, place: string, problem: KeyProblem, isNamed: boolean): KeyReport {
  if (problem.reason === 'missing' && !isNamed) return { ...nothing, name, place, state: 'absent' };
  return { ...nothing, name, place, state: 'wrong', problem: describeKeyProblem(problem) };
}

function publicKeysOf(name: RingName, ring: KeyRing): readonly string[] {
  if (name === 'checkpoint') return createSigner(ring).publicKeys;
  if (name === 'assertion') return assertionKeysOf(ring).map(({ kid }) => kid);
  return [];
}
