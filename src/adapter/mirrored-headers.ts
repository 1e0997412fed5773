import { isJsonObject, type JsonObject, type JsonValue } from '#kernel/json.ts';
import { encodeHeaderValue } from '#wire/header-value.ts';
import type { ParamHeader } from '#wire/param-headers.ts';

/** The `Mcp-Param-*` headers of a call (R41); what is absent or null has none (MCP 2026-07-28 streamable-http). */
export function mirroredHeaders(annotated: readonly ParamHeader[], args: JsonObject): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { header, path } of annotated) {
    const value = valueAt(args, path);
    if (typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)) {
      headers[`Mcp-Param-${header}`] = encodeHeaderValue(String(value));
    }
  }
  return headers;
}

function valueAt(args: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = args;
  for (const key of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}
