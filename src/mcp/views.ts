import type {
  BackendState,
  CatalogPrompt,
  CatalogResource,
  CatalogTemplate,
  CatalogTool,
  Snapshot,
} from '#catalog/snapshot.ts';
import { visibleCatalog } from '#catalog/visibility.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Era } from '#wire/protocol.ts';
import type { Choice } from './choice.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { type Entry, type ListKind, listEntries, mergeEntries } from './entries.ts';
import type { Refusal } from './refusal.ts';

/** What is seen through one choice. */
export interface Seen {
  readonly choice: Choice;
  readonly tools: readonly CatalogTool[];
  readonly prompts: readonly CatalogPrompt[];
  readonly resources: readonly CatalogResource[];
  readonly templates: readonly CatalogTemplate[];
  /** The backends of everything above. */
  readonly backends: readonly BackendState[];
  /** Servers where no account is linked -> the tool that links one. */
  readonly links: ReadonlyMap<BackendId, string>;
  readonly isDegraded: boolean;
}

/**
 * What one set of scopes sees of one snapshot, through one choice. Nothing said to a caller comes from anywhere else,
 * but for what it has for itself alone (`sight.ts`).
 */
export interface View extends Seen {
  /** A key of what decided it: generation, scopes, choice. */
  readonly key: string;
}

/** A page of a list: the inside of the result object, without the era's hints. */
export interface Page {
  readonly members: string;
  readonly bytes: number;
}

export interface Views {
  of(snapshot: Snapshot, principal: Pick<Principal, 'scopes' | 'scopeKey'>, choice: Choice): View;
  /** `own` are the caller's own entries, in order: with some, the page is made for this caller and not kept. */
  page(view: View, kind: ListKind, era: Era, cursor: unknown, own?: readonly Entry[]): Result<Page, Refusal>;
  /** The whole list as text, to tell whether it changed. */
  fingerprint(view: View, kind: ListKind): string;
  close(): void;
}

interface Cached {
  readonly view: View;
  readonly entries: Map<string, readonly Entry[]>;
  readonly pages: Map<string, Page>;
  readonly fingerprints: Map<ListKind, string>;
  bytes: number;
}

const noLinks: View['links'] = new Map();

/** What a view holds by itself: its arrays are its own, the items are the snapshot's. */
function bytesOf({ tools, prompts, resources, templates }: View): number {
  return 1_024 + 8 * (tools.length + prompts.length + resources.length + templates.length);
}

/** Names of no backend choose nothing: who makes them up gets no view, and no search index, for each. */
function chosen({ backends, mode, key }: Choice, snapshot: Snapshot): string {
  if (backends === undefined) return key;
  return `${mode} ${[...snapshot.backends.keys()].filter((id) => backends.includes(id)).join(',')}`;
}

function startAfter(entries: readonly Entry[], after: string): number {
  const start = entries.findIndex(({ name }) => name > after);
  return start === -1 ? entries.length : start;
}

/**
 * Views and their bytes, made once and served many times; the cache is bounded in entries and bytes, oldest out
 * first: moving an entry of a large map at each hit would cost more than making it again. A view is keyed by everything it depends on, so a new snapshot needs no invalidation.
 */
export function createViews(bounds: {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly pageSize: number;
}): Views {
  const cache = new Map<string, Cached>();
  let totalBytes = 0;

  function evict(): void {
    for (const [key, entry] of cache) {
      if (cache.size <= bounds.maxEntries && totalBytes <= bounds.maxBytes) return;
      if (cache.size === 1) return;
      cache.delete(key);
      totalBytes -= entry.bytes;
    }
  }

  function grow(cached: Cached, bytes: number): void {
    // Evicted while it was being used: nothing of it is kept, so nothing of it counts.
    if (cache.get(cached.view.key) !== cached) return;
    cached.bytes += bytes;
    totalBytes += bytes;
    evict();
  }

  function cachedFor(view: View): Cached {
    const known = cache.get(view.key);
    if (known !== undefined) return known;
    const made: Cached = {
      view,
      entries: new Map(),
      pages: new Map(),
      fingerprints: new Map(),
      bytes: bytesOf(view),
    };
    cache.set(view.key, made);
    totalBytes += made.bytes;
    evict();
    return made;
  }

  function entriesOf(cached: Cached, kind: ListKind, era: Era): readonly Entry[] {
    const key = `${kind} ${era}`;
    const known = cached.entries.get(key);
    if (known !== undefined) return known;
    const made = listEntries(cached.view, kind, era);
    cached.entries.set(key, made);
    grow(
      cached,
      made.reduce((sum, entry) => sum + entry.json.length, 0),
    );
    return made;
  }

  function pageFrom(entries: readonly Entry[], start: number, kind: ListKind): Page {
    const shown = entries.slice(start, start + bounds.pageSize);
    const last = shown.at(-1);
    const hasMore = start + shown.length < entries.length;
    const next = hasMore && last ? `,"nextCursor":${JSON.stringify(encodeCursor(last.name))}` : '';
    const members = `"${kind}":[${shown.map(({ json }) => json).join(',')}]${next}`;
    return { members, bytes: Buffer.byteLength(members) };
  }

  return {
    of(snapshot, principal, choice) {
      const key = `${snapshot.generation}\n${principal.scopeKey}\n${chosen(choice, snapshot)}`;
      const known = cache.get(key);
      if (known !== undefined) return known.view;
      const seen = visibleCatalog(snapshot, principal.scopes, choice.backends);
      const isDegraded = seen.backends.some(({ status }) => status !== 'fresh');
      return cachedFor({ key, choice, ...seen, links: noLinks, isDegraded }).view;
    },
    page(view, kind, era, cursor, own = []) {
      const cached = cachedFor(view);
      const after =
        cursor === undefined ? undefined : typeof cursor === 'string' ? decodeCursor(cursor) : undefined;
      if (cursor !== undefined && after === undefined) return err({ reason: 'cursor_invalid' });
      if (own.length > 0) {
        const all = mergeEntries(entriesOf(cached, kind, era), own);
        return ok(pageFrom(all, after === undefined ? 0 : startAfter(all, after), kind));
      }
      const start = after === undefined ? 0 : startAfter(entriesOf(cached, kind, era), after);
      // Callers can make cursors up: pages are kept by their place, and only where our own cursors lead.
      const key = `${kind} ${era} ${start}`;
      const known = cached.pages.get(key);
      if (known !== undefined) return ok(known);
      const page = pageFrom(entriesOf(cached, kind, era), start, kind);
      if (start % bounds.pageSize === 0) {
        cached.pages.set(key, page);
        grow(cached, page.bytes);
      }
      return ok(page);
    },
    fingerprint(view, kind) {
      const cached = cachedFor(view);
      const known = cached.fingerprints.get(kind);
      if (known !== undefined) return known;
      const hash = new Bun.CryptoHasher('sha256');
      for (const { json } of entriesOf(cached, kind, 'modern')) hash.update(json);
      const made = hash.digest('base64url');
      cached.fingerprints.set(kind, made);
      return made;
    },
    close() {
      cache.clear();
      totalBytes = 0;
    },
  };
}
