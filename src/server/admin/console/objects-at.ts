import { isJsonObject, type JsonObject } from '#kernel/json.ts';

/** The objects in the array at `key`; none where there is no array. */
export function objectsAt(object: JsonObject, key: string): readonly JsonObject[] {
  const value = object[key];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
