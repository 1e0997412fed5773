import { emptySnapshot } from '#catalog/empty-snapshot.ts';
import type { SnapshotListener } from '#catalog/publisher.ts';
import { isSameSnapshot } from '#catalog/same-snapshot.ts';
import type { QuarantinedItem, Snapshot } from '#catalog/snapshot.ts';
import type { Clock } from '#kernel/clock.ts';
import type { JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Schedule } from '#kernel/schedule.ts';
import { type Alarm, createAlarms } from './alarms.ts';
import type { BaselineKeeper, BaselineProblem } from './baseline-keeper.ts';
import { type Guarded, type Listed, listedIn, takeOut } from './items.ts';
import { createPrints, judge, type Unaccepted } from './judge.ts';
import type { Pin } from './pin.ts';
import { createTextWatch, type TextWarning } from './text-watch.ts';

/** How long after the start lists are compared that nobody has asked for. */
const WAKE_MS = 50;

export type IntegrityMode = 'off' | 'warn' | 'block';

export interface GuardDeps {
  readonly catalog: { snapshot(): Snapshot; onChange(listener: SnapshotListener): () => void };
  readonly keeper: BaselineKeeper;
  readonly mode: () => IntegrityMode;
  /** Whether texts are scanned. */
  readonly scans: () => boolean;
  /** Whose scopes are the operator's own word, and no part of what the backend says. */
  readonly scopesAreOurs: (backend: string) => boolean;
  /** False: only looks, and accepts nothing by itself. */
  readonly pinsNew: boolean;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly log: Log;
  /** Writes an alarm down for good. */
  readonly act: (fields: JsonObject) => void;
}

/**
 * Between the catalog and everything that reads it: what is not as it was accepted is told (`warn`), or taken out until
 * an operator accepts it (`block`).
 */
export interface IntegrityGuard {
  /** The catalog's, less what is quarantined. Its generation is the guard's own: another quarantine, another number. */
  snapshot(): Snapshot;
  /** One person's lists, less what is quarantined. */
  personal<T extends Guarded>(principalKey: string, lists: T): T;
  /** Called after each change of the snapshot, whether the catalog or the quarantine made it. */
  onChange(listener: SnapshotListener): () => void;
  /** Reads the baseline, and looks for another one now and then. To be awaited before the catalog shows anything. */
  open(): Promise<void>;
  /** Takes over another mode. */
  settle(): void;
  /** Looks whether somebody has put another baseline there. */
  look(): Promise<void>;
  /** Compares everything again: the baseline is another one. */
  refresh(): void;
  /** Undefined: the baseline is good, or not looked at. */
  problem(): BaselineProblem | undefined;
  alarms(): readonly Alarm[];
  /** What texts hide. */
  warnings(): readonly TextWarning[];
  /** What everybody's lists hold, quarantined or not. */
  listed(): readonly Listed[];
  close(): Promise<void>;
}

export function createIntegrityGuard(deps: GuardDeps): IntegrityGuard {
  const { catalog, keeper, clock, log, schedule } = deps;
  const listeners = new Set<SnapshotListener>();
  const prints = createPrints();
  const alarms = createAlarms({ clock, log, act: deps.act });
  const texts = createTextWatch({ isOn: deps.scans, schedule, log });
  let mode: IntegrityMode = 'off';
  let generation = 0;
  let current: Snapshot = emptySnapshot;
  let told: BaselineProblem | undefined;
  let isOpen = false;
  /** Whether anything was compared yet: not before somebody asks, or a moment after the start. */
  let isAwake = false;
  let cancelLook: (() => void) | undefined;
  let cancelWake: (() => void) | undefined;

  const isBlocking = () => mode === 'block';

  function inspect(lists: Guarded, isPersonal: boolean): readonly Unaccepted[] {
    const { scopesAreOurs } = deps;
    const rules = { pinsNew: deps.pinsNew && !keeper.isOperatorSigned, scopesAreOurs, isPersonal };
    const { findings, fresh } = judge(listedIn(lists), keeper.state(), rules, prints);
    texts.consider(listedIn(lists));
    if (fresh.length > 0) {
      logFresh(log, fresh);
      keeper.pinSoon(fresh);
    }
    return findings;
  }

  function guarded<T extends Guarded>(lists: T, findings: readonly Unaccepted[]): T {
    return isBlocking()
      ? takeOut(
          lists,
          findings.map((finding) => [finding.listed, taken(finding)]),
        )
      : lists;
  }

  /** Alarms are of definitions; that nothing can be compared is one alarm for all. */
  const tellable = (findings: readonly Unaccepted[]) =>
    findings.filter(({ reason }) => reason !== 'baseline_unusable');

  function evaluate(): Snapshot {
    const raw = catalog.snapshot();
    const findings = mode === 'off' ? [] : inspect(raw, false);
    alarms.shared(tellable(findings), isBlocking());
    return guarded(raw, findings);
  }

  function publish(next: Snapshot): void {
    generation += 1;
    const before = current;
    const after = { ...next, generation };
    current = after;
    for (const listener of listeners) listener(before, after);
  }

  function wake(): void {
    if (isAwake || !isOpen) return;
    isAwake = true;
    refresh();
  }

  function catalogChanged(): void {
    if (!isAwake) {
      cancelWake ??= schedule(WAKE_MS, wake);
      return;
    }
    const next = evaluate();
    const isSame = isSameSnapshot(current, next) && Bun.deepEquals(current.quarantined, next.quarantined);
    if (!isSame) publish(next);
  }

  /** Where nothing is compared the file is not even read. */
  function problemNow(): BaselineProblem | undefined {
    if (mode === 'off') return undefined;
    const state = keeper.state();
    return state.kind === 'bad' ? state.problem : undefined;
  }

  /** Says once that the baseline cannot be used, and once that it can again. */
  function tellState(): void {
    const problem = problemNow();
    if (problem === told) return;
    told = problem;
    if (problem === undefined) {
      log.info('integrity.recovered');
      deps.act({ action: 'integrity.recovered' });
      return;
    }
    log.error('integrity.degraded', { problem, withheld: isBlocking() });
    deps.act({ action: 'integrity.degraded', problem, withheld: isBlocking() });
  }

  /** A new generation even where the lists of everybody stay the same: single persons' depend on it as well. */
  function refresh(): void {
    tellState();
    publish(evaluate());
  }

  async function look(): Promise<void> {
    wake();
    if (mode !== 'off' && (await keeper.look())) refresh();
  }

  function lookAgain(): void {
    cancelLook = schedule(limits.baselineLookMs, () => {
      void look().finally(() => {
        if (isOpen) lookAgain();
      });
    });
  }

  const endWatch = catalog.onChange(catalogChanged);
  return {
    snapshot() {
      if (!isAwake) wake();
      return current;
    },
    personal(principalKey, lists) {
      wake();
      if (mode === 'off') return lists;
      const findings = inspect(lists, true);
      alarms.personal(principalKey, tellable(findings), isBlocking());
      return guarded(lists, findings);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async open() {
      mode = deps.mode();
      isOpen = true;
      lookAgain();
      if (mode !== 'off') await keeper.prepare();
    },
    settle() {
      const next = deps.mode();
      if (next === mode) return;
      const wasOff = mode === 'off';
      if (next === 'off') alarms.clear();
      if (!wasOff) {
        mode = next;
        refresh();
        return;
      }
      void keeper
        .prepare()
        .then(keeper.look)
        .then(() => {
          mode = deps.mode();
          refresh();
        });
    },
    look,
    refresh,
    problem: problemNow,
    alarms() {
      wake();
      return alarms.all();
    },
    warnings: texts.warnings,
    listed: () => [...listedIn(catalog.snapshot())],
    async close() {
      isOpen = false;
      endWatch();
      cancelLook?.();
      cancelWake?.();
      texts.close();
      listeners.clear();
      await keeper.drained();
    },
  };
}

/** What the lists show in place of a definition. Who was entitled to the accepted one is told, nobody else. */
function taken({ listed, reason, pins }: Unaccepted): QuarantinedItem {
  const { id, definition } = listed;
  return { backend: id.backend, scopes: pins.at(-1)?.scopes ?? definition.scopes, reason };
}

function logFresh(log: Log, fresh: readonly Pin[]): void {
  const perBackend = Map.groupBy(fresh, ({ backend }) => backend);
  for (const [backend, pins] of perBackend) {
    const names = pins.slice(0, 10).map(({ name }) => name.slice(0, 128));
    const rest = pins.length - names.length;
    log.info('integrity.pinned', {
      backend,
      count: pins.length,
      names: rest > 0 ? `${names.join(' ')} and ${rest} more` : names.join(' '),
    });
  }
}
