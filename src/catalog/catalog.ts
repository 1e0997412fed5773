import type { Backend } from '#backends/backend.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Log } from '#kernel/log.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { AssembleRules } from './assemble.ts';
import { type BackendEntry, type CatalogBackend, goneAt, stateAt, takeOutcome } from './backend-entry.ts';
import type { CatalogStore, SavedBackend } from './catalog-store.ts';
import { nameKey } from './naming.ts';
import { createPoller } from './poller.ts';
import { createPublisher, type SnapshotListener } from './publisher.ts';
import { parseSavedCatalog, writeSavedCatalog } from './saved-catalog.ts';
import type { BackendState, Snapshot } from './snapshot.ts';
import { createCatalogWriter } from './writer.ts';

export interface CatalogDeps {
  readonly backends: readonly CatalogBackend[];
  readonly rules: AssembleRules;
  readonly limits: {
    readonly pollIntervalMs: number;
    readonly pollTimeoutMs: number;
    readonly staleGraceMs: number;
  };
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly log: Log;
  /** Is told of each poll, how long it took and whether it went well. */
  readonly onPolled?: (backend: BackendId, ms: number, isGood: boolean) => void;
  /** Undefined: nothing outlives the process. */
  readonly store: CatalogStore | undefined;
}

/** The one snapshot, and what keeps it up to date. */
export interface Catalog {
  snapshot(): Snapshot;
  /** Each backend as it stands now; its times and errors are newer than the snapshot's. */
  states(): ReadonlyMap<BackendId, BackendState>;
  /** Takes up what was saved, as stale, and begins to poll. Resolves before the first answers. */
  start(): Promise<void>;
  /** Resolves when each of today's backends has answered or failed once. */
  settled(): Promise<void>;
  /** Polls the given backends, or all, now; when it resolves the snapshot is of after these polls. */
  poll(backends?: readonly BackendId[]): Promise<void>;
  /** Polls soon: at most once a second and backend, the last request always served. Unknown ids do nothing. */
  requestPoll(backend: BackendId): void;
  /** Called after each change, never for a poll that changed nothing. Returns how to unsubscribe. */
  onChange(listener: SnapshotListener): () => void;
  /**
   * Takes over a new configuration. Removed backends vanish at once; one that is the same object goes on as it
   * was; another object of a known id keeps the last good catalog, as stale, until its own answer.
   */
  replaceBackends(backends: readonly CatalogBackend[], rules: AssembleRules): void;
  /** Aborts polls and waits for what is being saved. Closes no backend. */
  close(): Promise<void>;
}

export function createCatalog(deps: CatalogDeps): Catalog {
  const { clock, schedule, log, limits } = deps;
  const { staleGraceMs } = limits;
  const entries = new Map<BackendId, BackendEntry>();
  const writer = createCatalogWriter(deps.store, log);
  let isStarted = false;

  const publisher = createPublisher(
    {
      clock,
      schedule,
      log,
      writer,
      sources: (now) =>
        [...entries.values()].map((entry) => {
          const { rules, catalog } = entry;
          return { rules, catalog, state: stateAt(entry, staleGraceMs, now) };
        }),
      nextChangeAt: (now) => earliest([...entries.values()].map((entry) => goneAt(entry, staleGraceMs, now))),
      onAssembled: saveNews,
    },
    deps.rules,
  );

  function saveNews(snapshot: Snapshot): void {
    for (const entry of entries.values()) {
      const state = snapshot.backends.get(entry.backend.id);
      const schemes = state?.schemes ?? [];
      entry.helpName = state?.helpName;
      if (!Bun.deepEquals(schemes, entry.schemes)) entry.hasUnsavedNews = true;
      entry.schemes = schemes;
      if (entry.catalog === undefined || !entry.hasUnsavedNews) continue;
      entry.hasUnsavedNews = false;
      const { backend, catalog, etag } = entry;
      const savedAt = clock.now();
      writer.write((store) =>
        store.saveBackend({
          backend: backend.id,
          catalog: writeSavedCatalog({ catalog, schemes }),
          etag,
          savedAt,
        }),
      );
    }
  }

  function enter({ backend, rules }: CatalogBackend, before: BackendEntry | undefined): BackendEntry {
    const entry: BackendEntry = {
      backend,
      rules,
      poller: pollerOf(backend),
      catalog: before?.catalog,
      etag: undefined,
      schemes: before?.schemes ?? [],
      helpName: before?.helpName,
      lastGoodAt: before?.lastGoodAt,
      failingSince: before && (before.failingSince ?? clock.now()),
      lastError: undefined,
      hasUnsavedNews: false,
    };
    entries.set(backend.id, entry);
    return entry;
  }

  const pollerOf = (backend: Backend) =>
    createPoller({
      backend,
      intervalMs: limits.pollIntervalMs,
      timeoutMs: limits.pollTimeoutMs,
      clock,
      schedule,
      random: deps.random,
      log,
      etag: () => entries.get(backend.id)?.etag,
      onOutcome(outcome, ms) {
        const entry = entries.get(backend.id);
        if (entry === undefined) return;
        deps.onPolled?.(backend.id, ms, outcome.ok);
        if (takeOutcome(entry, outcome, log, clock.now())) publisher.publishSoon();
      },
    });

  const restore = (saved: SavedBackend): void => {
    const entry = [...entries.values()].find(({ backend }) => backend.id === saved.backend);
    if (entry === undefined) {
      writer.write((store) => store.removeBackend(saved.backend));
      return;
    }
    if (entry.catalog !== undefined) return;
    const read = parseSavedCatalog(saved.catalog);
    if (!read.ok) {
      log.warn('catalog.saved_unreadable', { backend: saved.backend });
      return;
    }
    entry.catalog = read.value.catalog;
    entry.schemes = read.value.schemes;
    entry.etag = saved.etag;
    entry.lastGoodAt = saved.savedAt;
    entry.failingSince = clock.now();
  };

  const pollAll = async (ids: readonly BackendId[]): Promise<void> => {
    await Promise.all(ids.map((id) => entries.get(id)?.poller.poll()));
    publisher.flush();
  };

  for (const backend of deps.backends) enter(backend, undefined);

  return {
    snapshot: publisher.snapshot,
    states() {
      const now = clock.now();
      return new Map([...entries].map(([id, entry]) => [id, stateAt(entry, staleGraceMs, now)]));
    },
    async start() {
      const saved = await deps.store?.load();
      publisher.useNames(new Map(saved?.names.map((name) => [nameKey(name.kind, name.publicName), name])));
      for (const backend of saved?.backends ?? []) restore(backend);
      publisher.publish();
      isStarted = true;
      for (const { poller } of entries.values()) void poller.poll();
    },
    async settled() {
      await Promise.all([...entries.values()].map(({ poller }) => poller.first()));
      publisher.flush();
    },
    poll: (ids) => pollAll(ids ?? [...entries.keys()]),
    requestPoll: (id) => entries.get(id)?.poller.request(),
    onChange: publisher.onChange,
    replaceBackends(backends, rules) {
      const before = new Map(entries);
      entries.clear();
      for (const next of backends) {
        const old = before.get(next.backend.id);
        if (old?.backend === next.backend) {
          old.rules = next.rules;
          entries.set(next.backend.id, old);
          continue;
        }
        const entry = enter(next, old);
        if (isStarted) void entry.poller.poll();
      }
      for (const [id, old] of before) {
        if (entries.get(id) === old) continue;
        old.poller.close();
        if (!entries.has(id)) writer.write((store) => store.removeBackend(id));
      }
      publisher.useRules(rules);
      publisher.publish();
    },
    async close() {
      for (const { poller } of entries.values()) poller.close();
      publisher.close();
      await writer.drained();
    },
  };
}

function earliest(moments: readonly (number | undefined)[]): number | undefined {
  return moments.reduce((a, b) => (a === undefined || (b !== undefined && b < a) ? b : a), undefined);
}
