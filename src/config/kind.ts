import type { JsonObject, JsonValue } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** What a source says: one text, or a list of texts. Nothing is typed before a kind parses it. */
export type RawValue = string | readonly string[];

/** `what` completes the sentence `"value" ...`; `item` is the index of the list's bad item. */
export interface KindProblem {
  readonly what: string;
  readonly item: number | undefined;
}

/** A type of setting: how its text is read, described and shown. */
export interface Kind<T> {
  /** For the reference page, such as `duration`. */
  readonly name: string;
  readonly schema: JsonObject;
  readonly isSecret: boolean;
  parse(raw: RawValue): Result<T, KindProblem>;
  /** The value as `cortex check` shows it; a secret never shows. */
  show(value: T): JsonValue;
  /** Paths only: makes the value absolute, counted from the folder `base`. */
  resolve?(value: T, base: string): T;
}

interface ScalarSpec<T> {
  readonly name: string;
  readonly schema: JsonObject;
  readonly parse: (text: string) => Result<T, string>;
  readonly show?: (value: T) => JsonValue;
}

/** A kind read from one text; `parse` refuses with what completes `"value" ...`. */
export function scalar<T>(spec: ScalarSpec<T>): Kind<T> {
  return {
    name: spec.name,
    schema: spec.schema,
    isSecret: false,
    parse(raw) {
      if (typeof raw !== 'string')
        return err({ what: `must be one value (${spec.name}), not a list`, item: undefined });
      const parsed = spec.parse(raw.trim());
      return parsed.ok ? parsed : err({ what: parsed.error, item: undefined });
    },
    show: spec.show ?? ((value) => String(value)),
  };
}

/** A list of `item`; one text is split at commas and white space, as in environment variables. */
export function listOf<T>(
  item: Kind<T>,
  bounds: { readonly min?: 0 | 1; readonly max?: number } = {},
): Kind<readonly T[]> {
  const min = bounds.min ?? 0;
  const max = bounds.max ?? 1_000;
  return {
    name: `list of ${item.name}`,
    schema: { type: 'array', items: item.schema, ...(min > 0 && { minItems: min }) },
    isSecret: false,
    parse(raw) {
      const texts = typeof raw === 'string' ? raw.split(/[\s,]+/).filter((text) => text !== '') : raw;
      if (texts.length < min) return err({ what: 'must not be empty', item: undefined });
      if (texts.length > max) return err({ what: `must name at most ${max}`, item: undefined });
      const values: T[] = [];
      for (const [index, text] of texts.entries()) {
        const parsed = item.parse(text);
        if (!parsed.ok) return err({ what: parsed.error.what, item: index });
        values.push(parsed.value);
      }
      return ok(values);
    },
    show: (values) => values.map((value) => item.show(value)),
  };
}
