import { isStringArray, type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Alarm } from './alarms.ts';
import { type Baseline, emptyBaseline, withOnly, withoutItems, withPins } from './baseline.ts';
import type { BaselineKeeper, KeepRefusal } from './baseline-keeper.ts';
import { writeBaseline } from './baseline-text.ts';
import { definitionFields, printOf } from './definition-fields.ts';
import type { IntegrityGuard, IntegrityMode } from './guard.ts';
import { contentOf, createPin, type ItemId, itemKey, type Pin, recordOf } from './pin.ts';

/** What an operator may ask; each takes and answers JSON, so that a socket can lie in between. */
export type IntegrityAction = 'list' | 'diff' | 'approve' | 'draft';

/** Why a wish makes no sense. */
type WishRefusal =
  | 'off'
  | 'incomplete'
  | 'unknown_item'
  | 'ambiguous'
  | 'changed_again' // not what was looked at
  | 'nothing_open';

export interface IntegrityRefusal {
  readonly reason: KeepRefusal | WishRefusal;
  readonly message: string;
}

export interface IntegrityDesk {
  handle(
    action: IntegrityAction,
    input: JsonObject,
    actor: string,
  ): Promise<Result<JsonObject, IntegrityRefusal>>;
  /** For whoever asks how the gateway is. */
  status(): JsonObject;
}

export interface IntegrityDeskDeps {
  readonly guard: IntegrityGuard;
  readonly keeper: BaselineKeeper;
  readonly mode: () => IntegrityMode;
  readonly path: string;
  readonly scopesAreOurs: (backend: string) => boolean;
  readonly act: (kind: 'admin', fields: JsonObject) => Promise<boolean>;
}

/** What is wished: accept these, and forget those. */
interface Wish {
  readonly accepted: readonly Alarm[];
  readonly forgotten: readonly ItemId[];
}

export function createIntegrityDesk(deps: IntegrityDeskDeps): IntegrityDesk {
  const { guard, keeper, act } = deps;

  const status = (): JsonObject => {
    const mode = deps.mode();
    if (mode === 'off') return { mode, state: 'off' };
    const state = keeper.state();
    const problem = guard.problem();
    return {
      mode,
      state: problem === undefined ? 'good' : 'degraded',
      problem,
      baseline: deps.path,
      signedBy: keeper.isOperatorSigned ? 'operator' : 'gateway',
      madeAt: state.kind === 'good' && state.baseline.at > 0 ? timeText(state.baseline.at) : undefined,
      accepted: state.kind === 'good' ? state.baseline.pins.size : 0,
      open: guard.alarms().length,
    };
  };

  const baseline = (): Baseline => {
    const state = keeper.state();
    return state.kind === 'good' ? state.baseline : emptyBaseline;
  };

  /** Accepted for everybody, and listed by its backend no more. */
  function gone(): readonly ItemId[] {
    const listed = guard.listed();
    const now = new Set(listed.map(({ id }) => itemKey(id)));
    const backends = new Set<string>(listed.map(({ id }) => id.backend));
    const last = [...baseline().pins.values()].flatMap((pins) => pins.slice(-1));
    return last.filter(
      (pin) => backends.has(pin.backend) && contentOf(pin).kind === 'fields' && !now.has(itemKey(pin)),
    );
  }

  function list(input: JsonObject): JsonObject {
    const isWanted = ({ backend }: ItemId) => input.backend === undefined || input.backend === backend;
    const open = guard.alarms().filter(({ id }) => isWanted(id));
    const warnings = guard.warnings().filter(({ id }) => isWanted(id));
    return {
      ...status(),
      warnings: warnings.map(({ id, field, finding }) => ({
        ...idOf(id),
        field,
        reason: finding.reason,
        shown: finding.shown,
      })),
      items: [
        ...open.map((alarm) => alarmJson(alarm, deps.mode() === 'block')),
        ...gone()
          .filter(isWanted)
          .map(({ backend, kind, name }) => ({ backend, kind, name, state: 'gone' })),
      ],
    };
  }

  function wishOf(input: JsonObject): Result<Wish, IntegrityRefusal> {
    const names = isStringArray(input.names) ? input.names : [];
    const backend = stringAt(input, 'backend');
    const isWanted = ({ id }: { id: ItemId }) =>
      (backend === undefined || id.backend === backend) &&
      (input.kind === undefined || input.kind === id.kind);
    const open = guard.alarms().filter(isWanted);
    if (input.all === true) return ok({ accepted: open, forgotten: [] });
    if (names.length === 0) return refuse('incomplete', 'nothing was named');
    const accepted: Alarm[] = [];
    const forgotten: ItemId[] = [];
    for (const name of names) {
      const found = open.filter(({ shownAs, id }) => shownAs === name || id.name === name);
      const left = gone().filter(
        (id) => isWanted({ id }) && (id.name === name || `${id.backend}_${id.name}` === name),
      );
      const items = new Set([...found.map(({ id }) => itemKey(id)), ...left.map(itemKey)]);
      if (items.size === 0) return refuse('unknown_item', `nothing called ${name} waits for anybody`);
      const print = stringAt(input, 'print');
      const meant = print === undefined ? found : found.filter((alarm) => alarm.print.startsWith(print));
      // Also of something that is gone by now: forgotten, it would be accepted as new whatever it came back as.
      if (print !== undefined && meant.length === 0)
        return refuse('changed_again', `${name} is not what was looked at: it has changed once more`);
      if (items.size > 1 || meant.length > 1)
        return refuse('ambiguous', `${name} means several definitions: ${meant.map(describe).join(', ')}`);
      accepted.push(...meant);
      forgotten.push(...left);
    }
    return ok({ accepted, forgotten });
  }

  const pinFor = (alarm: Alarm) => createPin(alarm.id, alarm.print, alarm.fields, !alarm.isPersonal);

  /** Where accounts see different definitions, another one stands beside those that were accepted. */
  function granted({ accepted, forgotten }: Wish): (before: Baseline) => Baseline {
    const ofAll = accepted.filter(({ isPersonal }) => !isPersonal).map(pinFor);
    const ofPersons = accepted.filter(({ isPersonal }) => isPersonal).map(pinFor);
    return (before) => withPins(withOnly(withoutItems(before, forgotten), ofAll), ofPersons);
  }

  /** Everything that is listed at this moment, as if for the first time. */
  function everything(): Baseline {
    const pins = guard.listed().map(({ id, definition }): Pin => {
      const fields = definitionFields(definition, !deps.scopesAreOurs(id.backend));
      return createPin(id, printOf(id.kind, fields), fields, true);
    });
    return withPins(emptyBaseline, pins);
  }

  async function beginAnew(actor: string): Promise<Result<JsonObject, IntegrityRefusal>> {
    const begun = await keeper.begin(everything());
    if (!begun.ok) return refuseKeeping(begun.error);
    await act('admin', { action: 'integrity.begin', actor, accepted: begun.value.pins.size });
    guard.refresh();
    return ok({ begun: begun.value.pins.size, approved: [] });
  }

  async function approve(input: JsonObject, actor: string): Promise<Result<JsonObject, IntegrityRefusal>> {
    if (keeper.isOperatorSigned) return refuseKeeping('operator_signed');
    if (guard.problem() !== undefined) {
      return isEverything(input) ? beginAnew(actor) : refuseKeeping('degraded');
    }
    const wish = wishOf(input);
    if (!wish.ok) return wish;
    const { accepted, forgotten } = wish.value;
    if (accepted.length + forgotten.length === 0) return refuse('nothing_open', 'nothing waits for anybody');
    const changed = await keeper.change(granted(wish.value));
    if (!changed.ok) return refuseKeeping(changed.error);
    for (const { id, print, changed: fields } of accepted) {
      await act('admin', {
        action: 'integrity.approve',
        actor,
        ...recordOf(id),
        print,
        fields: fields.join(' '),
      });
    }
    for (const id of forgotten) await act('admin', { action: 'integrity.forget', actor, ...recordOf(id) });
    guard.refresh();
    return ok({
      approved: accepted.map(({ id, print }) => ({ ...idOf(id), print })),
      forgotten: forgotten.map(idOf),
    });
  }

  /** The baseline as it would be, unsigned: for the operator to look at, and to sign elsewhere. */
  function draft(input: JsonObject): Result<JsonObject, IntegrityRefusal> {
    if (guard.problem() !== undefined) {
      return isEverything(input) ? ok(draftJson(everything())) : refuseKeeping('degraded');
    }
    const wish = wishOf(input);
    return wish.ok ? ok(draftJson(granted(wish.value)(baseline()))) : wish;
  }

  return {
    status,
    async handle(action, input, actor) {
      if (deps.mode() === 'off') return refuse('off', 'integrity.mode is off: nothing is compared');
      await guard.look();
      switch (action) {
        case 'list':
          return ok(list(input));
        case 'diff': {
          const wish = wishOf(input.names === undefined ? { ...input, all: true } : input);
          return wish.ok ? ok({ ...status(), items: wish.value.accepted.map(diffJson) }) : wish;
        }
        case 'approve':
          return approve(input, actor);
        case 'draft':
          return draft(input);
      }
    },
  };
}

/** Of a part alone nothing can be begun anew: it would accept all the rest unseen. */
function isEverything({ all, backend, kind }: JsonObject): boolean {
  return all === true && backend === undefined && kind === undefined;
}

const keepMessages: Readonly<Record<KeepRefusal, string>> = {
  operator_signed:
    'the gateway cannot approve: its baseline is signed by the operator (integrity.public_key)',
  degraded:
    'the baseline is not to be believed: it can only be begun anew, with everything that is listed now',
  changed_underneath: 'the baseline was written by somebody else just now',
  unwritable: 'the baseline cannot be written',
};

function refuseKeeping(reason: KeepRefusal): Result<never, IntegrityRefusal> {
  return refuse(reason, keepMessages[reason]);
}

function refuse(reason: IntegrityRefusal['reason'], message: string): Result<never, IntegrityRefusal> {
  return err({ reason, message });
}

function idOf({ backend, kind, name }: ItemId) {
  return { backend, kind, name };
}

function describe({ id, print }: Alarm): string {
  return `${id.kind} of ${id.backend} (${print.slice(0, 12)})`;
}

function alarmJson(alarm: Alarm, isWithheld: boolean): JsonObject {
  const { id, shownAs, reason, print, changed, since, isPersonal } = alarm;
  return {
    ...idOf(id),
    shownAs,
    state: reason,
    print,
    fields: changed,
    since: timeText(since),
    isPersonal,
    isWithheld,
  };
}

function diffJson(alarm: Alarm): JsonObject {
  const pin = alarm.pins.at(-1);
  const content = pin && contentOf(pin);
  const before = content?.kind === 'fields' ? content.fields : {};
  return {
    ...alarmJson(alarm, false),
    isTextKept: content === undefined || content.kind === 'fields',
    changes: alarm.changed.map((field) => ({
      field,
      before: Object.hasOwn(before, field) ? before[field] : undefined,
      after: Object.hasOwn(alarm.fields, field) ? alarm.fields[field] : undefined,
    })),
  };
}

function draftJson(baseline: Baseline): JsonObject {
  const items = [...baseline.pins.values()].reduce((sum, pins) => sum + pins.length, 0);
  return { text: writeBaseline(baseline, undefined), items };
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
