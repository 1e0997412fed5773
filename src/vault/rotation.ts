import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { KeyRing } from '#keys/key-ring.ts';
import { createSealer, type SealPurpose, sealedWith } from '#keys/sealer.ts';
import type { VaultRing } from '#keys/vault-ring.ts';
import { type LinkClientKey, listLinkClients, resealLinkClient } from '#store/link-client-rows.ts';
import { listLinkFlowSeals } from '#store/link-flow-rows.ts';
import { listLinkTicketSeals } from '#store/link-ticket-rows.ts';
import type { Store } from '#store/store.ts';
import { findVaultKeyRow, resealVaultKeyRow } from '#store/vault-key-rows.ts';
import { listVaultOwnerRows, resealVaultOwnerRows } from '#store/vault-owner-rows.ts';
import { lookupKeyName } from './owner-keys.ts';

/** What a rotation did. */
export interface Rotation {
  /** The id of the key that everything is sealed with now. */
  readonly newest: string;
  /** Ids of the other keys in the ring. */
  readonly older: readonly string[];
  /** Whether the rotation made the newest key itself. */
  readonly isRenewed: boolean;
  readonly resealed: number;
  /** What no key of the ring opens: changed, or sealed with a key that is gone. */
  readonly unreadable: number;
  /** Linkings under way that still need an older key, ten minutes at most. */
  readonly waiting: number;
}

const pageRows = 500;
const maxPasses = 10;

/**
 * Seals every key of the vault with the ring's newest: the principals' keys and the clients' registrations. No grant is
 * touched, and calls go on: readers take either text, and a writer whose text was replaced reads again.
 */
export async function rotateVault(deps: {
  readonly store: Store;
  readonly ring: VaultRing;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<Rotation> {
  const { store, ring, clock, log } = deps;
  const renewed = await ring.renew();
  const keys = { newest: ring.newest, all: ring.all };
  const reseal = createResealer(keys);
  let resealed = 0;
  let unreadable = 0;
  // A process that had not yet seen the new key may have written meanwhile: until nothing is left to do.
  for (let pass = 0; pass < maxPasses; pass++) {
    const found = await onePass(store, keys, reseal);
    resealed += found.resealed;
    unreadable = found.unreadable;
    if (found.resealed === 0) break;
  }
  const links = [
    ...(await listLinkFlowSeals(store, clock.now())),
    ...(await listLinkTicketSeals(store, clock.now())),
  ];
  const waiting = links.filter((sealed) => sealedWith(sealed) !== keys.newest.id).length;
  const older = keys.all.slice(1).map((key) => key.id);
  await store.scrub();
  log.info('vault.rotated', { newest: keys.newest.id, resealed, unreadable, waiting });
  return { newest: keys.newest.id, older, isRenewed: renewed.ok, resealed, unreadable, waiting };
}

/** Drops the older keys from the ring, once nothing needs them: then no backup from before opens any more. */
export async function forgetOldKeys(
  ring: VaultRing,
  { waiting }: Rotation,
): Promise<Result<void, 'kept_elsewhere' | 'still_needed'>> {
  if (waiting > 0) return err('still_needed');
  const forgotten = await ring.forgetOld();
  return forgotten.ok ? ok(undefined) : forgotten;
}

type Reseal = (purpose: SealPurpose, bound: readonly string[], sealed: string) => string | undefined;
interface Pass {
  readonly resealed: number;
  readonly unreadable: number;
}

function createResealer(keys: KeyRing): Reseal {
  const sealer = createSealer(keys);
  return (purpose, bound, sealed) => {
    const text = sealer.open(purpose, bound, sealed);
    return text.ok ? sealer.seal(purpose, bound, text.value) : undefined;
  };
}

async function onePass(store: Store, { newest }: KeyRing, reseal: Reseal): Promise<Pass> {
  let resealed = 0;
  let unreadable = 0;
  const isOld = (sealed: string): boolean => sealedWith(sealed) !== newest.id;
  const anew = (purpose: SealPurpose, bound: readonly string[], sealed: string): string | undefined => {
    const next = reseal(purpose, bound, sealed);
    if (next === undefined) unreadable += 1;
    else resealed += 1;
    return next;
  };

  const lookup = await findVaultKeyRow(store, lookupKeyName);
  if (lookup !== undefined && isOld(lookup)) {
    const sealed = anew('vault_key', [lookupKeyName], lookup);
    if (sealed !== undefined) await resealVaultKeyRow(store, lookupKeyName, lookup, sealed);
  }
  for (const { sealed: before, ...client } of await listLinkClients(store)) {
    const sealed = isOld(before) ? anew('link_client', boundOf(client), before) : undefined;
    if (sealed !== undefined) await resealLinkClient(store, client, before, sealed);
  }
  for (let after = ''; ; ) {
    const page = await listVaultOwnerRows(store, after, pageRows);
    const last = page.at(-1);
    if (last === undefined) return { resealed, unreadable };
    after = last.owner;
    const rows = page
      .filter((row) => isOld(row.sealed))
      .flatMap(({ owner, sealed: before }) => {
        const sealed = anew('vault_key', [owner], before);
        return sealed === undefined ? [] : [{ owner, before, sealed }];
      });
    if (rows.length > 0) await resealVaultOwnerRows(store, rows);
    // Calls go on between two pages.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function boundOf({ server, issuer, redirectUri }: LinkClientKey): readonly string[] {
  return [server, issuer, redirectUri];
}
