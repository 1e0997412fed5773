import { sealedWith } from '#keys/sealer.ts';
import type { VaultRing } from '#keys/vault-ring.ts';
import { listLinkClients } from '#store/link-client-rows.ts';
import { listLinkFlows } from '#store/link-flow-rows.ts';
import { listLinkTickets } from '#store/link-ticket-rows.ts';
import type { Store } from '#store/store.ts';
import { countGrantRows } from '#store/vault-grant-rows.ts';
import { listVaultKeySeals } from '#store/vault-key-rows.ts';
import { listVaultOwnerSeals } from '#store/vault-owner-rows.ts';

export interface VaultStatus {
  /** Where the keys come from. */
  readonly place: VaultRing['place'];
  readonly path: string | undefined;
  /** Newest first, then those that are missing from the ring though something was sealed with them. */
  readonly keys: readonly KeyUse[];
  readonly users: number;
  readonly grants: number;
  /** Of these, how many must be linked again. */
  readonly dead: number;
}
export interface KeyUse {
  readonly id: string;
  readonly isInRing: boolean;
  /** How many texts only this key opens. */
  readonly seals: number;
}

/** Counts, without opening anything. */
export async function readVaultStatus(deps: {
  readonly store: Store;
  readonly ring: VaultRing;
}): Promise<VaultStatus> {
  const { store, ring } = deps;
  const owners = await listVaultOwnerSeals(store);
  const seals = [
    ...owners,
    ...(await listVaultKeySeals(store)),
    ...[
      ...(await listLinkClients(store)),
      ...(await listLinkFlows(store)),
      ...(await listLinkTickets(store)),
    ].map(({ sealed }) => sealed),
  ];
  const uses = new Map(ring.all.map((key) => [key.id, 0]));
  for (const sealed of seals) {
    const id = sealedWith(sealed);
    uses.set(id, (uses.get(id) ?? 0) + 1);
  }
  const inRing = new Set(ring.all.map((key) => key.id));
  const keys = [...uses].map(([id, count]) => ({ id, isInRing: inRing.has(id), seals: count }));
  const { place, path } = ring;
  return { place, path, keys, users: owners.length, ...(await countGrantRows(store)) };
}
