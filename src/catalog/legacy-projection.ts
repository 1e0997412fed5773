import { isJsonObject, type JsonObject } from '#kernel/json.ts';

/**
 * A tool as clients of the 2025 revisions can take it: without an `outputSchema` whose root is not
 * `type: "object"`, which those revisions refuse (R21). Everything else is the same object.
 */
export function projectForLegacy(wire: JsonObject): JsonObject {
  const { outputSchema, ...rest } = wire;
  if (outputSchema === undefined) return wire;
  return isJsonObject(outputSchema) && outputSchema.type === 'object' ? wire : rest;
}
