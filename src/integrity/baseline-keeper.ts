import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Signer, Verifier } from '#keys/signer.ts';
import { type ProcessLock, tryLock } from '#store/process-lock.ts';
import { type Baseline, emptyBaseline, withPins } from './baseline.ts';
import { readBaselineFile, setAside, stampOf, writeBaselineFile } from './baseline-file.ts';
import { readBaseline, type TextProblem, writeBaseline } from './baseline-text.ts';
import type { Pin } from './pin.ts';

/** Why nothing can be compared with what was accepted. */
export type BaselineProblem =
  | TextProblem
  | 'missing' // it was there once, or an operator has to put it there
  | 'unreadable'
  | 'rolled_back'; // an older one than was used here before

export type BaselineState =
  | { readonly kind: 'good'; readonly baseline: Baseline }
  | { readonly kind: 'bad'; readonly problem: BaselineProblem };

/** The newest baseline that was used from a file: an older one does not come back. */
export interface SeenBaseline {
  readonly at: number;
  /** SHA-256 of the file. */
  readonly digest: string;
}
export interface BaselineMemory {
  load(path: string): Promise<SeenBaseline | undefined>;
  save(path: string, seen: SeenBaseline): Promise<void>;
}

/** Why a change was not made. */
export type KeepRefusal =
  | 'operator_signed' // only the operator's key signs this baseline
  | 'degraded' // there is no good one to change
  | 'changed_underneath' // somebody else has just written it
  | 'unwritable';

/** The baseline of one file, and the only one who writes it. */
export interface BaselineKeeper {
  /** Read when it is first asked for, and only then: a start does not wait for it. */
  state(): BaselineState;
  readonly isOperatorSigned: boolean;
  /** Finds out what was used before; to be awaited before the state is asked for. */
  prepare(): Promise<void>;
  /** Reads the file if it is another than was read or written last; true: the state may be another now. */
  look(): Promise<boolean>;
  /** Accepts what was never seen before: at once in memory, on the disk soon. Nothing, where an operator has to. */
  pinSoon(pins: readonly Pin[]): void;
  /** Changes it; holds when it is on the disk. */
  change(make: (baseline: Baseline) => Baseline): Promise<Result<Baseline, KeepRefusal>>;
  /** Begins anew in place of a bad one, which is kept as `<file>.refused`. */
  begin(baseline: Baseline): Promise<Result<Baseline, KeepRefusal>>;
  /** Resolves when everything asked for is done. */
  drained(): Promise<void>;
}

export interface BaselineKeeperDeps {
  readonly path: string;
  readonly isOperatorSigned: boolean;
  /** Made when they are first needed: the keys whose signature counts, and, unless the operator signs, our own. */
  readonly keys: () => { readonly verifier: Verifier; readonly signer: Signer | undefined };
  readonly memory: BaselineMemory;
  readonly clock: Clock;
  readonly log: Log;
}

const lockTries = 40;
const lockPauseMs = 25;

export function createBaselineKeeper(deps: BaselineKeeperDeps): BaselineKeeper {
  const { path, isOperatorSigned, memory, clock, log } = deps;
  /** Undefined: nobody needed it yet. */
  let state: BaselineState | undefined;
  let seen: SeenBaseline | undefined;
  let stamp: string | undefined;
  let tail: Promise<unknown> = Promise.resolve();
  let isUnsaved = false;

  /** One after the other: who reads never meets half a change of our own. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = tail.then(task);
    tail = done.catch(() => undefined);
    return done;
  }

  function read(): BaselineState {
    const file = readBaselineFile(path);
    if (!file.ok) return bad(file.error);
    stamp = file.value.stamp;
    const { text } = file.value;
    if (text === undefined) {
      const isFirst = seen === undefined && !isOperatorSigned;
      return isFirst ? { kind: 'good', baseline: emptyBaseline } : bad('missing');
    }
    const baseline = readBaseline(text, deps.keys().verifier);
    if (!baseline.ok) return bad(baseline.error);
    const { at } = baseline.value;
    const digest = digestOf(text);
    if (seen !== undefined && (at < seen.at || (at === seen.at && digest !== seen.digest)))
      return bad('rolled_back');
    if (at !== seen?.at) void inTurn(() => remember({ at, digest }));
    return { kind: 'good', baseline: baseline.value };
  }

  async function remember(next: SeenBaseline): Promise<void> {
    seen = next;
    await memory.save(path, next);
  }

  function current(): BaselineState {
    state ??= read();
    return state;
  }

  async function write(baseline: Baseline): Promise<Result<Baseline, KeepRefusal>> {
    const { signer } = deps.keys();
    if (signer === undefined) return err('operator_signed');
    let lock: ProcessLock | undefined;
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      lock = await lockOf(path);
      if (lock === undefined || stampOf(path) !== stamp) return err('changed_underneath');
      const at = Math.max(clock.now(), baseline.at + 1, (seen?.at ?? 0) + 1);
      const text = writeBaseline({ ...baseline, at }, signer);
      stamp = await writeBaselineFile(path, text);
      // A crash in between leaves the newer file, which is good.
      await remember({ at, digest: digestOf(text) });
      return ok({ ...baseline, at });
    } catch (error) {
      log.error('integrity.save_failed', { path, error: messageOf(error) });
      return err('unwritable');
    } finally {
      lock?.release();
    }
  }

  async function save(): Promise<void> {
    const before = current();
    if (!isUnsaved || before.kind === 'bad') return;
    isUnsaved = false;
    const saved = await write(before.baseline);
    const after = current();
    if (!saved.ok) isUnsaved = saved.error === 'unwritable';
    else if (after.kind === 'good') state = good({ ...after.baseline, at: saved.value.at });
  }

  return {
    state: current,
    isOperatorSigned,
    async prepare() {
      seen = await memory.load(path);
    },
    look: () =>
      inTurn(async () => {
        const now = stampOf(path);
        if (state === undefined || (now === stamp && now !== 'unreadable')) return false;
        const before = state;
        state = read();
        const isSame = before.kind === 'bad' && state.kind === 'bad' && before.problem === state.problem;
        return !isSame;
      }),
    pinSoon(pins) {
      const before = current();
      if (before.kind === 'bad' || isOperatorSigned || pins.length === 0) return;
      state = good(withPins(before.baseline, pins));
      isUnsaved = true;
      void inTurn(save);
    },
    change: (make) =>
      inTurn(async () => {
        const before = current();
        if (before.kind === 'bad') return err('degraded');
        const saved = await write(make(before.baseline));
        // What was seen for the first time in the meantime stays pinned: its own saving follows.
        const after = current();
        if (saved.ok && after.kind === 'good') state = good({ ...make(after.baseline), at: saved.value.at });
        return saved;
      }),
    begin: (baseline) =>
      inTurn(async () => {
        if (isOperatorSigned) return err('operator_signed');
        try {
          await setAside(path);
          stamp = stampOf(path);
        } catch {
          return err('unwritable');
        }
        const saved = await write(baseline);
        if (saved.ok) state = good(saved.value);
        return saved;
      }),
    drained: () => inTurn(async () => undefined),
  };
}

async function lockOf(path: string): Promise<ProcessLock | undefined> {
  for (let tried = 0; tried < lockTries; tried += 1) {
    const lock = tryLock(`${path}.lock`);
    if (lock !== undefined) return lock;
    await sleep(lockPauseMs);
  }
  return undefined;
}

function good(baseline: Baseline): BaselineState {
  return { kind: 'good', baseline };
}

function bad(problem: BaselineProblem): BaselineState {
  return { kind: 'bad', problem };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
