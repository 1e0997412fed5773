import { isStringArray, parseJson } from '#kernel/json.ts';
import type { Store } from '#store/store.ts';
import { listVaultOwnerRows } from '#store/vault-owner-rows.ts';
import type { GrantOwner, GrantSummary, Grants } from './grant.ts';
import type { OwnerKeys } from './owner-keys.ts';

/** Somebody with something in the vault. */
export interface VaultUser {
  readonly owner: GrantOwner;
  readonly grants: readonly GrantSummary[];
}

const pageRows = 500;

/** Reads everybody, page by page; what no key opens is left out. */
export async function listVaultUsers(deps: {
  readonly store: Store;
  readonly owners: OwnerKeys;
  readonly grants: Grants;
}): Promise<readonly VaultUser[]> {
  const users: VaultUser[] = [];
  for (let after = ''; ; ) {
    const page = await listVaultOwnerRows(deps.store, after, pageRows);
    const last = page.at(-1);
    if (last === undefined) return users.sort((a, b) => (a.owner.key < b.owner.key ? -1 : 1));
    after = last.owner;
    for (const { owner: id, sealed } of page) {
      const owner = ownerOf(deps.owners.open(id, sealed)?.principal);
      if (owner !== undefined) users.push({ owner, grants: await deps.grants.list(owner) });
    }
  }
}

/** Some of them, in the order of their ids: the rest is neither opened nor kept. */
export async function pageVaultUsers(
  deps: { readonly store: Store; readonly owners: OwnerKeys; readonly grants: Grants },
  skip: number,
  take: number,
): Promise<{ readonly users: readonly VaultUser[]; readonly total: number }> {
  const users: VaultUser[] = [];
  let total = 0;
  for (let after = ''; ; ) {
    const page = await listVaultOwnerRows(deps.store, after, pageRows);
    const last = page.at(-1);
    if (last === undefined) return { users, total };
    after = last.owner;
    for (const { owner: id, sealed } of page) {
      total += 1;
      if (total <= skip || total > skip + take) continue;
      const owner = ownerOf(deps.owners.open(id, sealed)?.principal);
      if (owner !== undefined) users.push({ owner, grants: await deps.grants.list(owner) });
    }
  }
}

function ownerOf(key: string | undefined): GrantOwner | undefined {
  const parsed = key === undefined ? undefined : parseJson(key);
  if (key === undefined || !parsed?.ok || !isStringArray(parsed.value)) return undefined;
  const [issuer, subject] = parsed.value;
  return issuer === undefined || subject === undefined ? undefined : { issuer, subject, key };
}
