import type { QuarantineReason } from '#catalog/snapshot.ts';
import type { Clock } from '#kernel/clock.ts';
import { canonicalJson, type JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { fieldPrints } from './definition-fields.ts';
import type { Unaccepted } from './judge.ts';
import { contentOf, type ItemId, itemKey, type Pin, recordOf } from './pin.ts';

/** A definition that waits for an operator. */
export interface Alarm {
  readonly id: ItemId;
  readonly shownAs: string;
  readonly reason: QuarantineReason;
  readonly print: string;
  readonly fields: JsonObject;
  readonly pins: readonly Pin[];
  /** The fields that are not as they were accepted; every field, of what is new. */
  readonly changed: readonly string[];
  readonly since: number;
  /** Listed to single persons, not to everybody. */
  readonly isPersonal: boolean;
}

/** Everything that waits, told once. */
export interface Alarms {
  /** What everybody's lists hold now; what is not among it any more has cleared itself. */
  shared(findings: readonly Unaccepted[], isWithheld: boolean): void;
  /** The same of one person's lists. */
  personal(principalKey: string, findings: readonly Unaccepted[], isWithheld: boolean): void;
  all(): readonly Alarm[];
  clear(): void;
}

export interface AlarmsDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Writes it down for good. */
  readonly act: (fields: JsonObject) => void;
}

interface Held {
  readonly alarm: Alarm;
  /** Whose lists hold it; undefined: everybody's. */
  readonly seenBy: Set<string> | undefined;
}

const events = {
  changed: 'integrity.changed',
  new: 'integrity.new',
  baseline_full: 'integrity.baseline_full',
  baseline_unusable: 'integrity.baseline_unusable',
} as const satisfies Readonly<Record<QuarantineReason, string>>;

export function createAlarms(deps: AlarmsDeps): Alarms {
  const { clock, log, act } = deps;
  const shared = new Map<string, Held>();
  const personal = new Map<string, Held>();

  function raise(
    held: Map<string, Held>,
    findings: readonly Unaccepted[],
    isWithheld: boolean,
    who?: string,
  ): void {
    const told: Alarm[] = [];
    for (const finding of findings) {
      const key = alarmKey(finding);
      const known = held.get(key);
      known?.seenBy?.add(who ?? '');
      if (known !== undefined || held.size >= limits.maxPersonalAlarms) continue;
      const alarm = alarmOf(finding, clock.now(), who !== undefined);
      held.set(key, { alarm, seenBy: who === undefined ? undefined : new Set([who]) });
      told.push(alarm);
    }
    for (const alarm of told.slice(0, limits.maxAlarmsTold)) tell(alarm, isWithheld);
    const more = told.length - limits.maxAlarmsTold;
    if (more <= 0) return;
    log.warn('integrity.more', { count: more });
    act({ action: 'integrity.more', count: more });
  }

  function tell({ id, reason, changed, print }: Alarm, isWithheld: boolean): void {
    const said = { ...recordOf(id), fields: changed.join(' '), print, withheld: isWithheld };
    log.warn(events[reason], said);
    act({ action: events[reason], ...said });
  }

  function settle(held: Map<string, Held>, key: string, { alarm }: Held): void {
    held.delete(key);
    const said = { ...recordOf(alarm.id), print: alarm.print };
    log.info('integrity.cleared', said);
    act({ action: 'integrity.cleared', ...said });
  }

  return {
    shared(findings, isWithheld) {
      const now = new Set(findings.map(alarmKey));
      for (const [key, held] of shared) if (!now.has(key)) settle(shared, key, held);
      raise(shared, findings, isWithheld);
    },
    personal(principalKey, findings, isWithheld) {
      const now = new Set(findings.map(alarmKey));
      for (const [key, held] of personal) {
        if (now.has(key) || held.seenBy?.delete(principalKey) !== true) continue;
        if (held.seenBy.size === 0) settle(personal, key, held);
      }
      raise(personal, findings, isWithheld, principalKey);
    },
    all: () => [...shared.values(), ...personal.values()].map(({ alarm }) => alarm),
    clear() {
      shared.clear();
      personal.clear();
    },
  };
}

function alarmKey({ listed, print, reason }: Unaccepted): string {
  return `${reason} ${print} ${itemKey(listed.id)}`;
}

function alarmOf(finding: Unaccepted, since: number, isPersonal: boolean): Alarm {
  const { listed, reason, print, fields, pins } = finding;
  const changed = changedFields(pins.at(-1), fields);
  const { id, shownAs } = listed;
  return { id, shownAs, reason, print, fields, pins, changed, since, isPersonal };
}

/** The fields in which a definition is not what a pin says; all of them without a pin. */
export function changedFields(pin: Pin | undefined, fields: JsonObject): readonly string[] {
  if (pin === undefined) return Object.keys(fields);
  const content = contentOf(pin);
  const before = content.kind === 'fields' ? content.fields : content.prints;
  const now = content.kind === 'fields' ? fields : fieldPrints(fields);
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names.filter((name) => !isSame(own(before, name), own(now, name)));
}

function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function isSame(a: unknown, b: unknown): boolean {
  return a === undefined || b === undefined ? a === b : canonicalJson(a) === canonicalJson(b);
}
