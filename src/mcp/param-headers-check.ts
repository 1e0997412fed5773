import { isJsonObject, type JsonObject, type JsonValue } from '#kernel/json.ts';
import { decodeHeaderValue } from '#wire/header-value.ts';
import type { ParamHeader } from '#wire/param-headers.ts';
import { mcpHeaders } from '#wire/protocol.ts';

function valueAt(args: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = args;
  for (const key of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value ?? undefined;
}

const DECIMAL = /^-?\d+(?:\.0+)?$/;

/** Integers are compared as numbers (`42.0` is 42), but only as decimals: whoever routes by the header reads no hexadecimal. */
function matches(header: string, value: JsonValue): boolean {
  if (typeof value === 'string') return header === value;
  if (typeof value === 'boolean') return header === String(value);
  return Number.isSafeInteger(value) && DECIMAL.test(header) && Number(header) === value;
}

/**
 * Compares `Mcp-Param-*` headers with the arguments they mirror (R4); undefined when all agree, else what does not.
 * Source: MCP 2026-07-28 streamable-http "Server Behavior for Custom Headers".
 */
export function paramHeaderMismatch(
  headers: Headers,
  annotated: readonly ParamHeader[],
  args: JsonObject,
): string | undefined {
  for (const { header, path } of annotated) {
    const raw = headers.get(mcpHeaders.paramPrefix + header);
    const value = valueAt(args, path);
    if (raw === null) {
      if (value !== undefined) return `Mcp-Param-${header} is required`;
      continue;
    }
    const decoded = decodeHeaderValue(raw);
    if (decoded === undefined) return `Mcp-Param-${header} is malformed`;
    if (value === undefined) return `Mcp-Param-${header} has no argument in the body`;
    if (!matches(decoded, value)) return `Mcp-Param-${header} differs from the body`;
  }
  return undefined;
}
