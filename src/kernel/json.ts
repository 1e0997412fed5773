import { nestsDeeperThan } from './json-depth.ts';
import { limits } from './limits.ts';
import { err, ok, type Result } from './result.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** Whether a parsed JSON value is an object (not an array, not null). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isStringArray(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/**
 * Parses JSON text without throwing; what nests deeper than `limits.maxJsonDepth` is none (RFC 8259 section 9 allows a
 * limit). Duplicate keys keep the last value, as `JSON.parse` does.
 */
export function parseJson(text: string): Result<unknown, 'not_json'> {
  if (nestsDeeperThan(text, limits.maxJsonDepth)) return err('not_json');
  try {
    return ok(JSON.parse(text));
  } catch {
    return err('not_json');
  }
}

/** The string at `key`, or undefined where it is absent or of another type. */
export function stringAt(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  return typeof value === 'string' ? value : undefined;
}

/** JSON with the keys of every object in code-unit order: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (!isJsonObject(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
