import type { JsonValue } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Schedule } from '#kernel/schedule.ts';
import { type Definition, definitionFields } from './definition-fields.ts';
import type { Finding } from './finding.ts';
import type { Listed } from './items.ts';
import { type ItemId, itemKey, recordOf } from './pin.ts';
import { scanText } from './scan-text.ts';

/** Text of a definition that says more than a person sees, or talks to the model behind the person's back. */
export interface TextWarning {
  readonly id: ItemId;
  readonly field: string;
  readonly finding: Finding;
}

/** Reads every definition once, a few at a time, when nothing else is to be done: a warning, it withholds nothing. */
export interface TextWatch {
  consider(listed: Iterable<Listed>): void;
  /** Of definitions as they are now. */
  warnings(): readonly TextWarning[];
  close(): void;
}

/** Of one definition; a schema's texts are as good as the description's. */
const maxTexts = 200;
const pauseMs = 20;
const atOnce = 8;

export function createTextWatch(deps: {
  readonly isOn: () => boolean;
  readonly schedule: Schedule;
  readonly log: Log;
}): TextWatch {
  const seen = new WeakSet<Definition>();
  const found = new Map<string, readonly TextWarning[]>();
  let waiting: Listed[] = [];
  let cancel: (() => void) | undefined;

  function readSome(): void {
    cancel = undefined;
    for (const listed of waiting.splice(0, atOnce)) read(listed);
    next();
  }

  function next(): void {
    if (waiting.length > 0) cancel ??= deps.schedule(pauseMs, readSome);
  }

  function read({ id, definition }: Listed): void {
    const key = itemKey(id);
    const warnings = warningsOf(id, definition);
    if (warnings.length === 0) {
      found.delete(key);
      return;
    }
    if (!found.has(key) && found.size >= limits.maxTextWarnings) return;
    found.set(key, warnings);
    const said = new Set(warnings.map(({ field, finding }) => `${field}: ${finding.reason}`));
    deps.log.warn('integrity.suspicious_text', { ...recordOf(id), found: [...said].join(', ') });
  }

  return {
    consider(listed) {
      if (!deps.isOn()) return;
      for (const item of listed) {
        if (seen.has(item.definition)) continue;
        seen.add(item.definition);
        waiting.push(item);
      }
      next();
    },
    warnings: () => (deps.isOn() ? [...found.values()].flat() : []),
    close() {
      cancel?.();
      waiting = [];
    },
  };
}

function warningsOf(id: ItemId, definition: Definition): readonly TextWarning[] {
  const warnings: TextWarning[] = [];
  for (const [field, value] of Object.entries(definitionFields(definition, false))) {
    const texts: string[] = [];
    if (value !== undefined) collect(value, texts);
    for (const finding of texts.flatMap(scanText)) warnings.push({ id, field, finding });
  }
  return warnings;
}

/** Every text in a value, names of members included: a model reads them all. */
function collect(value: JsonValue, texts: string[]): void {
  if (texts.length >= maxTexts) return;
  if (typeof value === 'string') texts.push(value);
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (!Array.isArray(value)) texts.push(name);
    if (inner !== undefined) collect(inner, texts);
  }
}
