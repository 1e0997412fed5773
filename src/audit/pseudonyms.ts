import { randomBytes } from 'node:crypto';
import type { Clock } from '#kernel/clock.ts';
import { isStringArray, parseJson } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { type Principal, principalKey } from '#kernel/principal.ts';
import { deriveKey, type Key, type KeyRing } from '#keys/key-ring.ts';
import { createSealer } from '#keys/sealer.ts';
import {
  addPseudonymRow,
  erasePseudonymRows,
  findPseudonymRow,
  listPseudonymRows,
} from '#store/pseudonym-rows.ts';
import type { Store } from '#store/store.ts';

/** Keyed names that change every month (UTC): 22 characters of base64url. */
export interface Pseudonyms {
  /**
   * The principal's name in this month's records. A promise where its look-up row must be read or made first.
   * It never rejects: while the store fails, a salt in memory serves, and its row is saved later.
   */
  of(person: Person): string | Promise<string>;
  /** The fingerprint of a call's parameters: equal texts of one month have equal ones. */
  fingerprint(text: string): string;
  /**
   * The names the principal had in this month and the `months - 1` before, under every key there is. None where it has
   * no look-up row; none is made.
   */
  names(person: Person, months: number): Promise<readonly string[]>;
  /** Whose name this was in any of the months that `withinMs` touches; undefined for nobody who still has a look-up row. */
  personOf(
    name: string,
    withinMs: number,
  ): Promise<{ readonly issuer: string; readonly subject: string } | undefined>;
  /** Erases the principal's look-up row: nothing links its past records any more, not even the audit key. */
  forget(issuer: string, subject: string): Promise<void>;
}

type Person = Pick<Principal, 'issuer' | 'subject' | 'key'>;
interface OpenRow {
  readonly issuer: string;
  readonly subject: string;
  readonly salt: string;
}
interface Known {
  readonly salt: string;
  readonly month: string;
  readonly name: string;
  /** Undefined once the row is in the store; else when to try again. */
  readonly retryAt: number | undefined;
}

export function createPseudonyms(deps: {
  readonly keys: KeyRing;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Erases what is kept under these names, while they can still be told. */
  readonly beforeForget?: (names: readonly string[]) => Promise<void>;
}): Pseudonyms {
  const { keys, store, clock, log } = deps;
  const sealer = createSealer(keys);
  const lookupKeys = keys.all.map((key) => deriveKey(key, 'cortex audit lookup'));
  const known = new Map<string, Known>();
  let month: Month = { name: '', until: Number.NEGATIVE_INFINITY, from: 0, key: Buffer.alloc(0) };

  const currentMonth = (): Month => {
    const now = clock.now();
    if (now < month.from || now >= month.until) month = monthAt(now, keys.newest);
    return month;
  };
  const lookupsOf = (person: Person) => lookupKeys.map((key) => hmac(key, person.key));

  const openRow = (lookup: string, sealed: string): OpenRow | undefined => {
    const opened = sealer.open('pseudonym', [lookup], sealed);
    const row = opened.ok ? parseJson(opened.value) : undefined;
    const [issuer, subject, salt] = row?.ok && isStringArray(row.value) ? row.value : [];
    if (issuer !== undefined && subject !== undefined && salt !== undefined) return { issuer, subject, salt };
    log.error('audit.pseudonym_row_unreadable', { reason: opened.ok ? 'not_a_row' : opened.error });
    return undefined;
  };
  const openSalt = (lookup: string, sealed: string) => openRow(lookup, sealed)?.salt;
  const saveSalt = async (person: Person, salt: string): Promise<string> => {
    const lookup = lookupsOf(person)[0] ?? '';
    const sealed = sealer.seal('pseudonym', [lookup], JSON.stringify([person.issuer, person.subject, salt]));
    const holds = await addPseudonymRow(store, { lookup, sealed, createdAt: clock.now() });
    return openSalt(lookup, holds) ?? salt;
  };
  const findSalt = async (person: Person): Promise<string | undefined> => {
    for (const [age, lookup] of lookupsOf(person).entries()) {
      const sealed = await findPseudonymRow(store, lookup);
      const salt = sealed === undefined ? undefined : openSalt(lookup, sealed);
      if (salt === undefined) continue;
      if (age === 0) return salt;
      // The row was made under a key that is on its way out: it moves to the newest.
      const moved = await saveSalt(person, salt);
      await erasePseudonymRows(store, [lookup]);
      return moved;
    }
    return undefined;
  };

  const remember = (person: Person, salt: string, retryAt: number | undefined): string => {
    const now = currentMonth();
    const name = shortHmac(now.key, JSON.stringify([person.issuer, person.subject, salt]));
    known.set(person.key, { salt, month: now.name, name, retryAt });
    if (known.size > limits.maxPseudonyms) {
      const [oldest] = known.keys();
      if (oldest !== undefined) known.delete(oldest);
    }
    return name;
  };
  const learn = async (person: Person, fallback: string): Promise<string> => {
    try {
      const salt = (await findSalt(person)) ?? (await saveSalt(person, fallback));
      return remember(person, salt, undefined);
    } catch (error) {
      log.error('audit.pseudonym_not_saved', { error: error instanceof Error ? error.message : 'unknown' });
      const salt = known.get(person.key)?.salt ?? fallback;
      return remember(person, salt, clock.now() + limits.auditRetryMs);
    }
  };

  const names = async (person: Person, months: number): Promise<readonly string[]> => {
    const salt = (await findSalt(person)) ?? known.get(person.key)?.salt;
    if (salt === undefined) return [];
    const text = JSON.stringify([person.issuer, person.subject, salt]);
    const found: string[] = [];
    for (let at = currentMonth().from, back = 0; back < months; back += 1) {
      const ofKeys = keys.all.map((key) => monthAt(at, key));
      found.push(...ofKeys.map(({ key }) => shortHmac(key, text)));
      at = (ofKeys[0]?.from ?? at) - 1;
    }
    return found;
  };

  /** Every key of every month that the time touches, the newest month first. */
  const monthKeys = (withinMs: number): readonly Buffer[] => {
    const oldest = clock.now() - withinMs;
    const found: Buffer[] = [];
    for (let at = clock.now(); at >= oldest; ) {
      const ofKeys = keys.all.map((key) => monthAt(at, key));
      found.push(...ofKeys.map(({ key }) => key));
      at = (ofKeys[0]?.from ?? oldest) - 1;
    }
    return found;
  };
  const personOf = async (name: string, withinMs: number) => {
    const candidates = monthKeys(withinMs);
    for (let after = ''; ; ) {
      const page = await listPseudonymRows(store, after, rowsPerPage);
      for (const { lookup, sealed } of page) {
        const row = openRow(lookup, sealed);
        if (row === undefined) continue;
        const text = JSON.stringify([row.issuer, row.subject, row.salt]);
        if (candidates.some((key) => shortHmac(key, text) === name))
          return { issuer: row.issuer, subject: row.subject };
      }
      const last = page.at(-1);
      if (last === undefined) return undefined;
      after = last.lookup;
      // Calls go on in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  return {
    of(person) {
      const entry = known.get(person.key);
      if (entry === undefined) return learn(person, newSalt());
      if (entry.retryAt !== undefined && entry.retryAt <= clock.now()) return learn(person, entry.salt);
      // A new month reads the row again: another process may have erased it.
      if (entry.month !== currentMonth().name) return learn(person, newSalt());
      return entry.name;
    },
    names,
    personOf,
    fingerprint: (text) => shortHmac(currentMonth().key, text),
    async forget(issuer, subject) {
      const person = { issuer, subject, key: principalKey(issuer, subject) };
      await deps.beforeForget?.(await names(person, monthsIndexed));
      known.delete(person.key);
      await erasePseudonymRows(store, lookupsOf(person));
    },
  };
}

/** As many as `limits.auditIndexKeepMs` can touch. */
const monthsIndexed = 4;
const rowsPerPage = 100;

function newSalt(): string {
  return randomBytes(16).toString('base64url');
}

interface Month {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly from: number;
  /** Milliseconds since the epoch; excluded. */
  readonly until: number;
  readonly key: Buffer;
}

function monthAt(now: number, key: Key): Month {
  const date = new Date(now);
  const from = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  const until = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  const name = date.toISOString().slice(0, 7);
  return { name, from, until, key: deriveKey(key, `cortex audit month ${name}`) };
}

/** 132 bits are enough to tell people and parameters apart. */
function shortHmac(key: Buffer, text: string): string {
  return hmac(key, text).slice(0, 22);
}

function hmac(key: Buffer, text: string): string {
  return new Bun.CryptoHasher('sha256', key).update(text).digest('base64url');
}
