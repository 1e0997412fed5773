import { randomInt } from 'node:crypto';
import type { Clock } from '#kernel/clock.ts';
import { randomId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Schedule } from '#kernel/schedule.ts';
import { openRecord, sealRecord } from '#keys/record-seal.ts';
import type { Store } from '#store/store.ts';
import {
  addGrantRow,
  deleteGrantRow,
  extendGrantLease,
  findGrantRow,
  type GrantWrite,
  leaseGrantRow,
  listGrantRows,
  markGrantRowDead,
  releaseGrantRow,
  replaceGrantRow,
  touchGrantRows,
  type VaultGrantRow,
} from '#store/vault-grant-rows.ts';
import type { Grant, GrantSummary, Grants, Lease, StoredGrant } from './grant.ts';
import { readGrant, writeGrant } from './grant-text.ts';
import type { OwnerKey, OwnerKeys } from './owner-keys.ts';
import { createRecent } from './recent.ts';

interface GrantsDeps {
  readonly store: Store;
  readonly owners: OwnerKeys;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly log: Log;
}

/** The grants as the vault holds them. */
export interface VaultGrants extends Grants {
  /** Drops what is remembered in memory of an owner who was erased. */
  forget(owner: string): void;
  /** Writes what was touched last. */
  close(): Promise<void>;
}

/** Between a reading and a writing the ring may turn and another process may write: then it is read again. */
const maxAttempts = 20;

export function createGrants({ store, owners, clock, schedule, log }: GrantsDeps): VaultGrants {
  const opened = createRecent<{
    readonly sealed: string;
    readonly generation: number;
    readonly grant: Grant;
  }>(limits.maxCachedGrants);
  const uses = createUses(store, { clock, schedule, log });

  const openRow = async (owner: string, row: VaultGrantRow): Promise<StoredGrant | undefined> => {
    const { server, generation, sealed, isDead, lastUsedAt } = row;
    const name = nameOf(owner, server);
    const known = opened.get(name);
    if (known?.sealed === sealed && known.generation === generation) {
      return { grant: known.grant, generation, isDead, lastUsedAt };
    }
    const key = await owners.find(owner);
    const text = key && openRecord(key.secret, [key.principal, server, generation], sealed);
    const grant = text === undefined ? undefined : readGrant(text);
    if (grant !== undefined) {
      opened.set(name, { sealed, generation, grant });
      return { grant, generation, isDead, lastUsedAt };
    }
    // Where the row has changed since it was read, with its owner's key perhaps, nothing is wrong.
    const now = await findGrantRow(store, owner, server);
    if (now?.sealed !== sealed) return now && openRow(owner, now);
    log.error('vault.grant_unreadable', { server, reason: key ? 'grant' : 'owner' });
    return undefined;
  };
  const sealFor = (key: OwnerKey, server: string, generation: number, grant: Grant): GrantWrite => ({
    owner: key.id,
    ownerSealed: key.sealed,
    server,
    generation,
    sealed: sealRecord(key.secret, [key.principal, server, generation], writeGrant(grant)),
  });

  return {
    async get(owner, server) {
      const id = owners.id(owner.key);
      const row = await findGrantRow(store, id, server);
      return row && openRow(id, row);
    },

    async put(owner, server, grant) {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const key = await owners.obtain(owner.key);
        const row = await findGrantRow(store, key.id, server);
        const generation = row === undefined ? firstGeneration() : row.generation + 1;
        const write = sealFor(key, server, generation, grant);
        const isWritten =
          row === undefined
            ? await addGrantRow(store, write)
            : await replaceGrantRow(store, row.generation, write);
        if (isWritten) return { grant, generation, isDead: false, lastUsedAt: row?.lastUsedAt };
        await breathe();
      }
      throw new Error('a grant could not be written: its row changes all the time');
    },

    async replace(owner, server, generation, grant) {
      const id = owners.id(owner.key);
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const row = await findGrantRow(store, id, server);
        if (row?.generation !== generation) return false;
        const key = await owners.find(id);
        if (key === undefined) return false;
        if (await replaceGrantRow(store, generation, sealFor(key, server, generation + 1, grant)))
          return true;
      }
      throw new Error('a grant could not be replaced: its row changes all the time');
    },

    markDead: (owner, server, generation) =>
      markGrantRowDead(store, owners.id(owner.key), server, generation),

    async remove(owner, server) {
      const id = owners.id(owner.key);
      const row = await findGrantRow(store, id, server);
      const grant = row && (await openRow(id, row));
      opened.delete(nameOf(id, server));
      if (row !== undefined) await deleteGrantRow(store, id, server);
      return grant;
    },

    async list(owner) {
      const id = owners.id(owner.key);
      const summaries: GrantSummary[] = [];
      for (const row of await listGrantRows(store, id)) {
        const stored = await openRow(id, row);
        if (stored !== undefined) summaries.push(summaryOf(row.server, stored));
      }
      return summaries;
    },

    touch: (owner, server) => uses.add(owners.id(owner.key), server),

    async lease(owner, server, ms): Promise<Lease | undefined> {
      const id = owners.id(owner.key);
      const lease = randomId();
      const now = clock.now();
      if (!(await leaseGrantRow(store, id, server, { id: lease, now, until: now + ms }))) return undefined;
      return {
        extend: (forMs) => extendGrantLease(store, id, server, { id: lease, until: clock.now() + forMs }),
        release: () => releaseGrantRow(store, id, server, lease),
      };
    },

    forget(owner) {
      opened.deleteAll((name) => name.startsWith(`${owner} `));
    },

    async close() {
      opened.clear();
      await uses.close();
    },
  };
}

function breathe(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Random, so that a generation of a grant that was removed never comes back with a new one. */
function firstGeneration(): number {
  return randomInt(1, 2 ** 47);
}

function nameOf(owner: string, server: string): string {
  return `${owner} ${server}`;
}

function summaryOf(server: string, { grant, isDead, lastUsedAt }: StoredGrant): GrantSummary {
  const { account, scopes, issuer, linkedAt, expiresAt } = grant;
  return { server, account, scopes, issuer, linkedAt, lastUsedAt, expiresAt, isDead };
}

/** Collects uses, and writes them every few seconds: on the way of a call nothing is written. */
function createUses(store: Store, deps: Pick<GrantsDeps, 'clock' | 'schedule' | 'log'>) {
  const pending = new Map<string, { readonly owner: string; readonly server: string; readonly at: number }>();
  let callOff: (() => void) | undefined;
  const flush = async (): Promise<void> => {
    callOff = undefined;
    const uses = [...pending.values()];
    pending.clear();
    try {
      await touchGrantRows(store, uses);
    } catch (error) {
      deps.log.error('vault.uses_not_saved', { error: error instanceof Error ? error.message : 'unknown' });
    }
  };
  return {
    add(owner: string, server: string): void {
      if (pending.size >= limits.maxCachedGrants) return;
      pending.set(nameOf(owner, server), { owner, server, at: deps.clock.now() });
      callOff ??= deps.schedule(limits.grantUseDelayMs, () => void flush());
    },
    async close(): Promise<void> {
      callOff?.();
      await flush();
    },
  };
}
