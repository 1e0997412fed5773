import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import { diffSnapshots, type ItemChange } from './diff.ts';
import type { BackendState, Snapshot } from './snapshot.ts';

/** What changed for everybody at one moment, of one backend. */
export interface CatalogChange {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly backend: BackendId;
  /** Public names and URIs; the first few of each. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** How many there were in all. */
  readonly count: number;
  /** Where it became another one. */
  readonly status: BackendState['status'] | undefined;
}

/** The newest changes of the catalog since this process began. In memory. */
export interface ChangeHistory {
  note(before: Snapshot, after: Snapshot): void;
  /** Newest first. */
  all(): readonly CatalogChange[];
  lastOf(backend: BackendId): CatalogChange | undefined;
}

const maxNames = 12;

export function createChangeHistory(clock: Clock, maxChanges: number): ChangeHistory {
  let changes: readonly CatalogChange[] = [];
  const last = new Map<BackendId, CatalogChange>();
  return {
    note(before, after) {
      const made = changesBetween(before, after, clock.now());
      changes = [...made, ...changes].slice(0, maxChanges);
      for (const change of made) last.set(change.backend, change);
      for (const id of last.keys()) if (!after.backends.has(id)) last.delete(id);
    },
    all: () => changes,
    lastOf: (backend) => last.get(backend),
  };
}

function changesBetween(before: Snapshot, after: Snapshot, at: number): readonly CatalogChange[] {
  const { tools, prompts, resources, templates, backends } = diffSnapshots(before, after);
  const items = Map.groupBy([...tools, ...prompts, ...resources, ...templates], ownerOf);
  const states = new Map(backends.map(({ key, after: state }) => [key, state?.status]));
  const ids = new Set([
    ...items.keys(),
    ...backends.flatMap(({ before: old, after: now }) => (now ?? old)?.id ?? []),
  ]);
  return [...ids].flatMap((backend) => {
    if (backend === undefined) return [];
    const own = items.get(backend) ?? [];
    const status = states.get(backend);
    // One that was just configured has not answered yet: no news.
    if (own.length === 0 && status === 'gone' && !before.backends.has(backend)) return [];
    const names = (isWanted: (change: ItemChange<unknown>) => boolean) =>
      own
        .filter(isWanted)
        .slice(0, maxNames)
        .map(({ key }) => key);
    return [
      {
        at,
        backend,
        added: names((change) => change.before === undefined),
        removed: names((change) => change.after === undefined),
        changed: names((change) => change.before !== undefined && change.after !== undefined),
        count: own.length,
        status,
      },
    ];
  });
}

function ownerOf({ before, after }: ItemChange<{ readonly backend: BackendId }>): BackendId | undefined {
  return (after ?? before)?.backend;
}
