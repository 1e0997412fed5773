import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** One argument that modern clients mirror into `Mcp-Param-<header>`; `path` leads to it from the arguments' root. */
export interface ParamHeader {
  readonly header: string;
  readonly path: readonly string[];
  readonly type: 'string' | 'integer' | 'boolean';
}

export const PARAM_HEADER_KEY = 'x-mcp-header';

/** RFC 9110 section 5.6.2, `1*tchar`: no spaces, no control characters. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const MAX_HEADER_LENGTH = 128;
const MAX_PARAM_HEADERS = 64;
const MAX_DEPTH = 32;

/** Keywords whose value is data, not a schema: an annotation's name in there means nothing. */
const DATA_KEYWORDS: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'example', 'examples']);
/** Keywords whose value maps names to schemas. */
const SCHEMA_MAPS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  'dependentSchemas',
  'dependencies',
  '$defs',
  'definitions',
]);

export interface ParamHeaderFault {
  /** Path within the schema, for the log. */
  readonly at: string;
  readonly fault: 'not_reachable' | 'not_a_token' | 'not_primitive' | 'not_unique' | 'too_many';
}

interface Visit {
  readonly schema: unknown;
  /** Property names from the root; undefined where the way left the chain of `properties`. */
  readonly path: readonly string[] | undefined;
  readonly at: string;
}

/**
 * The arguments a tool mirrors into `Mcp-Param-*` headers, or the first violated constraint of
 * "Custom Headers from Tool Parameters" (MCP 2026-07-28, streamable HTTP). A violation makes the whole tool
 * unlistable. Values (the safe range of integers) are checked per call, not here.
 */
export function paramHeaders(inputSchema: JsonObject): Result<readonly ParamHeader[], ParamHeaderFault> {
  const found: ParamHeader[] = [];
  const seen = new Set<string>();
  const pending: Visit[] = [{ schema: inputSchema, path: [], at: '#' }];
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { schema, path, at } = visit;
    if (Array.isArray(schema)) {
      for (const [index, item] of schema.entries())
        pending.push({ schema: item, path: undefined, at: `${at}/${index}` });
      continue;
    }
    if (!isJsonObject(schema)) continue;
    if (Object.hasOwn(schema, PARAM_HEADER_KEY)) {
      if (path === undefined || path.length === 0) return err({ at, fault: 'not_reachable' });
      const header = schema[PARAM_HEADER_KEY];
      if (typeof header !== 'string' || header.length > MAX_HEADER_LENGTH || !TOKEN.test(header))
        return err({ at, fault: 'not_a_token' });
      const { type } = schema;
      if (type !== 'string' && type !== 'integer' && type !== 'boolean')
        return err({ at, fault: 'not_primitive' });
      if (seen.has(header.toLowerCase())) return err({ at, fault: 'not_unique' });
      if (found.length >= MAX_PARAM_HEADERS) return err({ at, fault: 'too_many' });
      seen.add(header.toLowerCase());
      found.push({ header, path, type });
    }
    for (const [keyword, value] of Object.entries(schema)) {
      if (typeof value !== 'object' || value === null || DATA_KEYWORDS.has(keyword)) continue;
      if (!SCHEMA_MAPS.has(keyword) || !isJsonObject(value)) {
        pending.push({ schema: value, path: undefined, at: `${at}/${keyword}` });
        continue;
      }
      for (const [name, child] of Object.entries(value)) {
        const childPath =
          keyword === 'properties' && path !== undefined && path.length < MAX_DEPTH
            ? [...path, name]
            : undefined;
        pending.push({ schema: child, path: childPath, at: `${at}/${keyword}/${name}` });
      }
    }
  }
  // The walk is a stack, so it finds the last property first; callers get the schema's own order.
  return ok(found.reverse());
}
