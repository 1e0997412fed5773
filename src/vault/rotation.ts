import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { KeyRing } from '#keys/key-ring.ts';
import { createSealer, type SealPurpose, sealedWith } from '#keys/sealer.ts';
import type { VaultRing } from '#keys/vault-ring.ts';
import { listLinkClients, resealLinkClient } from '#store/link-client-rows.ts';
import { listLinkFlows, resealLinkFlow, sweepLinkFlows } from '#store/link-flow-rows.ts';
import { listLinkTickets, resealLinkTicket, sweepLinkTickets } from '#store/link-ticket-rows.ts';
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
  /** Whether nothing was found at the end that needs an older key. */
  readonly isSettled: boolean;
}

const pageRows = 500;
const maxPasses = 10;

/**
 * Seals what the ring sealed with its newest key: the principals' keys, the clients' registrations, linkings under way.
 * No grant is touched, and calls go on: readers take either text, and a writer whose text was replaced reads again.
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
  await sweepLinkFlows(store, clock.now());
  await sweepLinkTickets(store, clock.now());
  let resealed = 0;
  let found = { resealed: 1, unreadable: 0 };
  // A process that had not yet seen the new key may have written meanwhile: until nothing is left to do.
  for (let pass = 0; pass < maxPasses && found.resealed > 0; pass++) {
    found = await onePass(store, keys);
    resealed += found.resealed;
  }
  await store.scrub();
  const { unreadable } = found;
  const newest = keys.newest.id;
  const older = keys.all.slice(1).map((key) => key.id);
  log.info('vault.rotated', { newest, resealed, unreadable });
  return { newest, older, isRenewed: renewed.ok, resealed, unreadable, isSettled: found.resealed === 0 };
}

/** Drops the older keys from the ring, once nothing needs them: then no backup from before opens any more. */
export async function forgetOldKeys(
  ring: VaultRing,
  { isSettled }: Rotation,
): Promise<Result<void, 'kept_elsewhere' | 'still_needed'>> {
  if (!isSettled) return err('still_needed');
  const forgotten = await ring.forgetOld();
  return forgotten.ok ? ok(undefined) : forgotten;
}

interface Pass {
  readonly resealed: number;
  readonly unreadable: number;
}

async function onePass(store: Store, keys: KeyRing): Promise<Pass> {
  const sealer = createSealer(keys);
  let resealed = 0;
  let unreadable = 0;
  /** The text sealed anew; undefined where that is not needed, or cannot be. */
  const anew = (purpose: SealPurpose, bound: readonly string[], sealed: string): string | undefined => {
    if (sealedWith(sealed) === keys.newest.id) return undefined;
    const text = sealer.open(purpose, bound, sealed);
    if (text.ok) resealed += 1;
    else unreadable += 1;
    return text.ok ? sealer.seal(purpose, bound, text.value) : undefined;
  };

  const lookup = await findVaultKeyRow(store, lookupKeyName);
  const lookupAnew = lookup && anew('vault_key', [lookupKeyName], lookup);
  if (lookup !== undefined && lookupAnew) await resealVaultKeyRow(store, lookupKeyName, lookup, lookupAnew);
  for (const { sealed, ...client } of await listLinkClients(store)) {
    const next = anew('link_client', [client.server, client.issuer, client.redirectUri], sealed);
    if (next !== undefined) await resealLinkClient(store, client, sealed, next);
  }
  for (const { id, sealed } of await listLinkFlows(store)) {
    const next = anew('link_flow', [id], sealed);
    if (next !== undefined) await resealLinkFlow(store, id, sealed, next);
  }
  for (const { hash, sealed } of await listLinkTickets(store)) {
    const next = anew('link_ticket', [hash], sealed);
    if (next !== undefined) await resealLinkTicket(store, hash, sealed, next);
  }
  for (let after = ''; ; ) {
    const page = await listVaultOwnerRows(store, after, pageRows);
    const last = page.at(-1);
    if (last === undefined) return { resealed, unreadable };
    after = last.owner;
    const rows = page.flatMap(({ owner, sealed: before }) => {
      const sealed = anew('vault_key', [owner], before);
      return sealed === undefined ? [] : [{ owner, before, sealed }];
    });
    if (rows.length > 0) await resealVaultOwnerRows(store, rows);
    // Calls go on between two pages.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
