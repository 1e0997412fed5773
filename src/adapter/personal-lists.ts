import type { BackendFailure, PersonalCatalog, PersonalLists } from '#backends/backend.ts';
import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Result } from '#kernel/result.ts';
import type { FetchedLists } from './fetch-lists.ts';
import { joinSignals } from './joined-signal.ts';
import type { Split } from './shareable.ts';

export interface PersonalListsDeps {
  /** Asks the server as this principal. */
  readonly ask: (
    principal: Principal,
    before: FetchedLists | undefined,
    signal: AbortSignal,
  ) => Promise<Result<{ readonly lists: FetchedLists; readonly split: Split }, BackendFailure>>;
  /** What one principal sees became another. */
  readonly onChange: (principalKey: string) => void;
  readonly clock: Clock;
  /** After this long a list is asked for again, when it is next looked at. */
  readonly maxAgeMs: number;
  readonly timeoutMs: number;
}

/** The lists of a server that belong to one principal each (R44): in memory, bounded, and never mixed. */
export interface PersonalStore extends PersonalLists {
  /** The server announced a change to this principal: asks again. */
  announced(principal: Principal): void;
  /** An account was linked or unlinked: what was known is over. */
  linkingChanged(principalKey: string): void;
  lists(principalKey: string): FetchedLists | undefined;
  close(): void;
}

interface Entry {
  catalog: PersonalCatalog;
  lists: FetchedLists | undefined;
  digest: string;
  bytes: number;
  at: number;
}

/** A list that changes all the time is fetched at most this often. */
const minGapMs = 500;
/** What could not be asked for, or was not linked elsewhere a moment ago, is asked for again sooner. */
const retryMs = 5_000;
const nothing = { tools: [], prompts: [], resources: [], resourceTemplates: [] };
const unknown: PersonalCatalog = { kind: 'listed', catalog: nothing, isStale: true };

interface Asking {
  readonly answer: Promise<PersonalCatalog>;
  readonly asking: { isOutdated: boolean };
}

export function createPersonalLists(deps: PersonalListsDeps): PersonalStore {
  const { clock } = deps;
  const closing = new AbortController();
  const entries = new Map<string, Entry>();
  const running = new Map<string, Asking>();
  const announcedSoon = new Set<string>();
  let bytes = 0;

  function remove(key: string): void {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  }

  /** Keeps an entry as the one used last; what was not looked at for longest goes. */
  function keep(key: string, entry: Entry): void {
    remove(key);
    entries.set(key, entry);
    bytes += entry.bytes;
    for (const oldest of entries.keys()) {
      if (oldest === key) return;
      if (entries.size <= limits.maxPersonalLists && bytes <= limits.maxPersonalListBytes) return;
      remove(oldest);
    }
  }

  function settle(key: string, fetched: Awaited<ReturnType<PersonalListsDeps['ask']>>): PersonalCatalog {
    const before = entries.get(key);
    const next = fetched.ok ? listed(fetched.value, before) : unlisted(fetched.error, before);
    keep(key, { ...next, at: clock.monotonic() });
    // The first answer is news only to those who saw nothing before, and they asked for it.
    if (before !== undefined && before.catalog !== next.catalog) deps.onChange(key);
    return next.catalog;
  }

  async function askServer(principal: Principal, asking: { isOutdated: boolean }): Promise<PersonalCatalog> {
    const { key } = principal;
    const { signal, release } = joinSignals(closing.signal, AbortSignal.timeout(deps.timeoutMs));
    const fetched = await deps.ask(principal, entries.get(key)?.lists, signal).finally(() => {
      release();
      // A fault must not be the answer for ever.
      if (running.get(key)?.asking === asking) running.delete(key);
    });
    if (asking.isOutdated) return refresh(principal);
    return closing.signal.aborted ? unknown : settle(key, fetched);
  }

  /** Single flight. */
  function refresh(principal: Principal): Promise<PersonalCatalog> {
    const under = running.get(principal.key);
    if (under !== undefined) return under.answer;
    const asking = { isOutdated: false };
    const answer = askServer(principal, asking);
    running.set(principal.key, { answer, asking });
    return answer;
  }

  return {
    current(principal) {
      const { key } = principal;
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      const maxAgeMs = isSettled(entry.catalog) ? deps.maxAgeMs : Math.min(retryMs, deps.maxAgeMs);
      if (clock.monotonic() - entry.at >= maxAgeMs) void refresh(principal);
      return entry.catalog;
    },
    async refresh(principal, signal) {
      const waiting = Promise.withResolvers<PersonalCatalog>();
      const giveUp = (): void => waiting.resolve(entries.get(principal.key)?.catalog ?? unknown);
      signal.addEventListener('abort', giveUp, { once: true });
      if (signal.aborted) giveUp();
      else refresh(principal).then(waiting.resolve, giveUp);
      return waiting.promise.finally(() => signal.removeEventListener('abort', giveUp));
    },
    announced(principal) {
      const { key } = principal;
      const entry = entries.get(key);
      if (entry === undefined || announcedSoon.has(key)) return;
      announcedSoon.add(key);
      const again = (): void => {
        announcedSoon.delete(key);
        if (!closing.signal.aborted) void refresh(principal);
      };
      setTimeout(again, Math.max(0, entry.at + minGapMs - clock.monotonic())).unref();
    },
    linkingChanged(key) {
      remove(key);
      const under = running.get(key);
      // What was asked for with another account, or without one, counts no more.
      if (under !== undefined) under.asking.isOutdated = true;
      running.delete(key);
      deps.onChange(key);
    },
    lists: (key) => entries.get(key)?.lists,
    close() {
      closing.abort();
      entries.clear();
    },
  };
}

function isSettled(catalog: PersonalCatalog): boolean {
  return catalog.kind === 'shared' || (catalog.kind === 'listed' && !catalog.isStale);
}

type Next = Omit<Entry, 'at'>;

/** The same object as before where nothing changed. */
function listed({ lists, split }: { lists: FetchedLists; split: Split }, before: Entry | undefined): Next {
  const { personal, personalDigest: digest, isAllShared, bytes } = split;
  const known = before?.catalog;
  const isSame =
    before?.digest === digest &&
    (isAllShared ? known?.kind === 'shared' : known?.kind === 'listed' && !known.isStale);
  if (isSame && before !== undefined) return { ...before, lists };
  const catalog: PersonalCatalog = isAllShared
    ? { kind: 'shared' }
    : { kind: 'listed', catalog: personal, isStale: false };
  return { catalog, lists, digest, bytes };
}

/** Nothing new was learned: what was there stays, marked as stale. Without a link and without a past there is nothing. */
function unlisted({ reason }: BackendFailure, before: Entry | undefined): Next {
  const known = before?.catalog;
  if (before !== undefined && known?.kind === 'listed') {
    return known.isStale ? before : { ...before, catalog: { ...known, isStale: true } };
  }
  if (before !== undefined && known?.kind === 'shared' && reason !== 'link_required') return before;
  if (reason !== 'link_required') {
    return { catalog: unknown, lists: undefined, digest: '', bytes: 0 };
  }
  if (before !== undefined && known?.kind === 'unlinked') return before;
  return { catalog: { kind: 'unlinked' }, lists: undefined, digest: '', bytes: 0 };
}
