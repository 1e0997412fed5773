import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { Clock } from '#kernel/clock.ts';
import { isStringArray, parseJson } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Sealer } from '#keys/sealer.ts';
import type { Store } from '#store/store.ts';
import { addVaultKeyRow, findVaultKeyRow } from '#store/vault-key-rows.ts';
import { addVaultOwnerRow, findVaultOwnerRow } from '#store/vault-owner-rows.ts';
import { createRecent } from './recent.ts';

/** One principal's key, and the sealed text it came from. */
export interface OwnerKey {
  readonly id: string;
  readonly sealed: string;
  /** The principal's key in the sense of `principalKey`: who it is. */
  readonly principal: string;
  readonly secret: KeyObject;
}

/**
 * The principals' own keys: random, sealed with the key ring, found by a keyed hash of the principal. The hash key is
 * random too, made once and sealed like the others, so ids stay what they are when the ring changes.
 */
export interface OwnerKeys {
  id(principal: string): string;
  /** The owner's key; undefined where the row was changed or moved. Throws where the ring lacks the key that sealed it. */
  open(id: string, sealed: string): OwnerKey | undefined;
  /** Undefined where there is no such owner, too. */
  find(id: string): Promise<OwnerKey | undefined>;
  /** The owner's key, made if there is none. Throws where the row was changed or moved. */
  obtain(principal: string): Promise<OwnerKey>;
  forget(id: string): void;
}

/** The name under which the key of the hashes is stored. */
export const lookupKeyName = 'lookup';
const keyBytes = 32;

/** `wrong_key`: the vault was sealed with a key that the ring does not hold. */
export async function openOwnerKeys(deps: {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly clock: Clock;
}): Promise<Result<OwnerKeys, 'wrong_key'>> {
  const { store, sealer, clock } = deps;
  const lookupSecret = await openLookupKey(store, sealer);
  if (!lookupSecret.ok) return lookupSecret;
  const opened = createRecent<OwnerKey>(limits.maxCachedGrants);

  const id = (principal: string): string =>
    new Bun.CryptoHasher('sha256', lookupSecret.value).update(principal).digest('base64url');

  const open = (owner: string, sealed: string): OwnerKey | undefined => {
    const known = opened.get(owner);
    if (known?.sealed === sealed) return known;
    const text = sealer.open('vault_key', [owner], sealed);
    if (!text.ok && text.error === 'unknown_key') {
      throw new Error('the vault key that this was sealed with is not in the key ring');
    }
    const parsed = text.ok ? parseJson(text.value) : undefined;
    if (!parsed?.ok || !isStringArray(parsed.value)) return undefined;
    const [principal, secret] = parsed.value;
    if (principal === undefined || secret === undefined || id(principal) !== owner) return undefined;
    const key = { id: owner, sealed, principal, secret: createSecretKey(Buffer.from(secret, 'base64url')) };
    opened.set(owner, key);
    return key;
  };
  const find = async (owner: string): Promise<OwnerKey | undefined> => {
    const sealed = await findVaultOwnerRow(store, owner);
    return sealed === undefined ? undefined : open(owner, sealed);
  };

  return ok({
    id,
    open,
    find,
    async obtain(principal) {
      const owner = id(principal);
      const sealed =
        (await findVaultOwnerRow(store, owner)) ??
        (await addVaultOwnerRow(store, {
          owner,
          sealed: sealer.seal('vault_key', [owner], JSON.stringify([principal, newKey()])),
          createdAt: clock.now(),
        }));
      const key = open(owner, sealed);
      if (key === undefined) throw new Error('a row of vault_owners does not open');
      return key;
    },
    forget: (owner) => opened.delete(owner),
  });
}

async function openLookupKey(store: Store, sealer: Sealer): Promise<Result<Buffer, 'wrong_key'>> {
  const sealed =
    (await findVaultKeyRow(store, lookupKeyName)) ??
    (await addVaultKeyRow(store, lookupKeyName, sealer.seal('vault_key', [lookupKeyName], newKey())));
  const text = await sealer.openLater('vault_key', [lookupKeyName], sealed);
  return text.ok ? ok(Buffer.from(text.value, 'base64url')) : err('wrong_key');
}

function newKey(): string {
  return randomBytes(keyBytes).toString('base64url');
}
