import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import type { Schedule } from '#kernel/schedule.ts';
import { type AssembleRules, type AssembleSource, assemble } from './assemble.ts';
import { emptySnapshot } from './empty-snapshot.ts';
import { logWithheld } from './log-withheld.ts';
import type { NameRecord, NameTable } from './naming.ts';
import { isSameSnapshot } from './same-snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import type { CatalogWriter } from './writer.ts';

/** Polls that end within this time of one another make one snapshot. */
const GATHER_MS = 10;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface PublisherDeps {
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly log: Log;
  readonly writer: CatalogWriter;
  readonly sources: (now: number) => readonly AssembleSource[];
  /** The next moment at which a source changes by time alone. */
  readonly nextChangeAt: (now: number) => number | undefined;
  /** Told of every assembly, also of one that changed nothing. */
  readonly onAssembled: (snapshot: Snapshot) => void;
}

export type SnapshotListener = (before: Snapshot, after: Snapshot) => void;

/** Holds the current snapshot and the table of names, and tells who listens when there is another. */
export interface Publisher {
  snapshot(): Snapshot;
  /** Assembles now. A snapshot that shows the same as the current one is dropped. */
  publish(): void;
  publishSoon(): void;
  /** Assembles now what `publishSoon` was asked for, if anything. */
  flush(): void;
  useRules(rules: AssembleRules): void;
  /** Names of an earlier run; later ones win. */
  useNames(names: NameTable): void;
  onChange(listener: SnapshotListener): () => void;
  close(): void;
}

export function createPublisher(deps: PublisherDeps, initialRules: AssembleRules): Publisher {
  const { clock, schedule, log, writer } = deps;
  const listeners = new Set<SnapshotListener>();
  let rules = initialRules;
  let names: NameTable = new Map();
  let current = emptySnapshot;
  let isClosed = false;
  let cancelGather: (() => void) | undefined;
  let cancelNextChange: (() => void) | undefined;

  const publish = (): void => {
    cancelGather?.();
    cancelGather = undefined;
    if (isClosed) return;
    const now = clock.now();
    const made = assemble({ sources: deps.sources(now), names, rules, now, before: current });
    names = made.names;
    saveNames(writer, made.changedNames, made.forgottenNames);
    deps.onAssembled(made.snapshot);
    armNextChange(now, made.nextExpiryAt);
    if (isSameSnapshot(current, made.snapshot)) return;
    const before = current;
    const after = made.snapshot;
    current = after;
    logWithheld(before, after, log);
    for (const listener of listeners) tell(listener, before, after);
  };

  const armNextChange = (now: number, nextExpiryAt: number | undefined): void => {
    cancelNextChange?.();
    cancelNextChange = undefined;
    const at = Math.min(nextExpiryAt ?? Infinity, deps.nextChangeAt(now) ?? Infinity);
    if (at !== Infinity) cancelNextChange = schedule(Math.min(at - now, LONGEST_TIMER_MS), publish);
  };

  const tell = (listener: SnapshotListener, before: Snapshot, after: Snapshot): void => {
    try {
      listener(before, after);
    } catch (cause) {
      log.error('catalog.listener_threw', { message: String(cause) });
    }
  };

  return {
    snapshot: () => current,
    publish,
    publishSoon() {
      cancelGather ??= schedule(GATHER_MS, publish);
    },
    flush() {
      if (cancelGather !== undefined) publish();
    },
    useRules(next) {
      rules = next;
    },
    useNames(saved) {
      names = new Map([...saved, ...names]);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      isClosed = true;
      cancelGather?.();
      cancelNextChange?.();
      listeners.clear();
    },
  };
}

function saveNames(
  writer: CatalogWriter,
  changed: readonly NameRecord[],
  forgotten: readonly NameRecord[],
): void {
  if (changed.length > 0) writer.write((store) => store.saveNames(changed));
  if (forgotten.length > 0) writer.write((store) => store.removeNames(forgotten));
}
