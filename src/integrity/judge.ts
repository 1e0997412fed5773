import type { QuarantineReason } from '#catalog/snapshot.ts';
import type { JsonObject } from '#kernel/json.ts';
import { type Baseline, createRoom, pinsOf } from './baseline.ts';
import type { BaselineState } from './baseline-keeper.ts';
import { type Definition, definitionFields, type ItemKind, printOf } from './definition-fields.ts';
import type { Listed } from './items.ts';
import { createPin, type Pin } from './pin.ts';

/** A definition that nobody has accepted. */
export interface Unaccepted {
  readonly listed: Listed;
  readonly reason: QuarantineReason;
  readonly print: string;
  readonly fields: JsonObject;
  /** What was accepted in its place, the newest last. */
  readonly pins: readonly Pin[];
}

export interface Judgement {
  readonly findings: readonly Unaccepted[];
  /** Seen for the first time, and accepted because of that. */
  readonly fresh: readonly Pin[];
}

export interface Rules {
  /** Whether what was never seen before is accepted. */
  readonly pinsNew: boolean;
  /** Whose scopes are the operator's own word, and no part of what the backend says. */
  readonly scopesAreOurs: (backend: string) => boolean;
  /** One person's lists: no text of theirs is remembered, and their resources, which are their documents, not at all. */
  readonly isPersonal: boolean;
}

/** Fingerprints, made once for each definition object: the catalog keeps the object while the definition is the same. */
export type Prints = (kind: ItemKind, definition: Definition, countsScopes: boolean) => string;

export function createPrints(): Prints {
  const known = new WeakMap<Definition, string>();
  return (kind, definition, countsScopes) => {
    const made = known.get(definition) ?? printOf(kind, definitionFields(definition, countsScopes));
    known.set(definition, made);
    return made;
  };
}

/** Compares lists with what was accepted. */
export function judge(
  items: Iterable<Listed>,
  state: BaselineState,
  rules: Rules,
  prints: Prints,
): Judgement {
  const findings: Unaccepted[] = [];
  const fresh: Pin[] = [];
  const baseline: Baseline | undefined = state.kind === 'good' ? state.baseline : undefined;
  let room: ReturnType<typeof createRoom> | undefined;
  for (const listed of items) {
    const { id, definition } = listed;
    const countsScopes = !rules.scopesAreOurs(id.backend);
    const find = (reason: QuarantineReason, pins: readonly Pin[]) => {
      const print = prints(id.kind, definition, countsScopes);
      findings.push({ listed, reason, print, fields: definitionFields(definition, countsScopes), pins });
    };
    if (baseline === undefined) {
      find('baseline_unusable', []);
      continue;
    }
    if (rules.isPersonal && id.kind === 'resource') continue;
    const pins = pinsOf(baseline, id);
    const print = prints(id.kind, definition, countsScopes);
    if (pins.some((pin) => pin.print === print)) continue;
    if (pins.length > 0) {
      find('changed', pins);
      continue;
    }
    if (!rules.pinsNew) {
      find('new', []);
      continue;
    }
    const pin = createPin(id, print, definitionFields(definition, countsScopes), !rules.isPersonal);
    room ??= createRoom(baseline);
    if (room.take(pin)) fresh.push(pin);
    else find('baseline_full', []);
  }
  return { findings, fresh };
}
