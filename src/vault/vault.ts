import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import { ok, type Result } from '#kernel/result.ts';
import type { Schedule } from '#kernel/schedule.ts';
import { createSealer, type Sealer } from '#keys/sealer.ts';
import type { VaultRing } from '#keys/vault-ring.ts';
import type { Store } from '#store/store.ts';
import { eraseVaultOwner } from '#store/vault-owner-rows.ts';
import { eraseLinks } from './erase-links.ts';
import type { GrantOwner, Grants } from './grant.ts';
import { createGrants } from './grants.ts';
import { openOwnerKeys } from './owner-keys.ts';
import { type Rotation, rotateVault } from './rotation.ts';
import { readVaultStatus, type VaultStatus } from './vault-status.ts';
import { listVaultUsers, pageVaultUsers, type VaultUser } from './vault-users.ts';

/** Users' grants at servers, and the keys over them. */
export interface Vault {
  readonly grants: Grants;
  readonly ring: VaultRing;
  /** Seals linkings under way, tickets and registrations with the ring's newest key. */
  readonly sealer: Sealer;
  /** Everybody who has something in the vault, without secrets. */
  users(): Promise<readonly VaultUser[]>;
  /** `take` of them after the first `skip`, and how many there are. */
  userPage(
    skip: number,
    take: number,
  ): Promise<{ readonly users: readonly VaultUser[]; readonly total: number }>;
  has(owner: GrantOwner): Promise<boolean>;
  rotate(): Promise<Rotation>;
  status(): Promise<VaultStatus>;
  /** Deletes a user's key, all grants and what is under way, beyond recovery from the file. Revokes nothing. */
  erase(owner: GrantOwner): Promise<void>;
  close(): Promise<void>;
}

/** `wrong_key`: the vault was sealed with a key that the ring does not hold. */
export async function openVault(deps: {
  readonly store: Store;
  readonly ring: VaultRing;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly log: Log;
}): Promise<Result<Vault, 'wrong_key'>> {
  const { store, ring } = deps;
  const sealer = createSealer(ring);
  const opened = await openOwnerKeys({ ...deps, sealer });
  if (!opened.ok) return opened;
  const owners = opened.value;
  const grants = createGrants({ ...deps, owners });
  return ok({
    grants,
    ring,
    sealer,
    users: () => listVaultUsers({ store, owners, grants }),
    userPage: (skip, take) => pageVaultUsers({ store, owners, grants }, skip, take),
    has: async (owner) => (await owners.find(owners.id(owner.key))) !== undefined,
    rotate: () => rotateVault(deps),
    status: () => readVaultStatus(deps),
    async erase(owner) {
      const id = owners.id(owner.key);
      await eraseLinks({ store, sealer }, owner);
      await eraseVaultOwner(store, id);
      owners.forget(id);
      grants.forget(id);
    },
    close: () => grants.close(),
  });
}
