import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { memberProblem, without } from './mcp-members.ts';
import { paramsSchema } from './params-schema.ts';
import { type ListShape, type ParsedList, parseList } from './parse-list.ts';
import { parseScopes } from './scope.ts';
import type { ToolDefinition } from './types.ts';

const ownMembers = ['name', 'scope', 'params', 'version', 'deprecated'];

const shape: ListShape<ToolDefinition> = { member: 'tools', noun: 'tool', key: 'name', parse: parseTool };

/** Parses the answer of `list_tools`. */
export function parseTools(answer: unknown, maxTools: number): Result<ParsedList<ToolDefinition>, string> {
  return parseList(answer, shape, maxTools);
}

function parseTool(entry: JsonObject, note: (problem: string) => void): Result<ToolDefinition, string> {
  const scopes = parseScopes(entry.scope);
  if (!scopes.ok) return scopes;
  const problem = memberProblem(entry);
  if (problem !== undefined) return err(problem);
  const inputSchema = parseInputSchema(entry);
  if (!inputSchema.ok) return inputSchema;
  if (entry.outputSchema !== undefined && !isJsonObject(entry.outputSchema)) {
    return err('outputSchema is not an object');
  }
  const { version, deprecated, annotations } = entry;
  if (version !== undefined && typeof version !== 'string') note('version is not a string and is ignored');
  if (deprecated !== undefined && !isJsonObject(deprecated))
    note('deprecated is not an object and is ignored');
  const hints = isJsonObject(annotations) ? annotations : {};
  return ok({
    name: stringAt(entry, 'name') ?? '',
    scopes: scopes.value,
    wire: { ...without(entry, ownMembers), inputSchema: inputSchema.value },
    description: stringAt(entry, 'description'),
    inputSchema: inputSchema.value,
    hasOutputSchema: entry.outputSchema !== undefined,
    isReadOnly: hints.readOnlyHint === true,
    isIdempotent: hints.idempotentHint === true,
    version: stringAt(entry, 'version'),
    deprecated: isJsonObject(deprecated) ? deprecated : undefined,
  });
}

/** A real schema wins over the shorthand; a client refuses a whole list for one input schema that is no object's. */
function parseInputSchema(entry: JsonObject): Result<JsonObject, string> {
  const schema = entry.inputSchema;
  if (schema === undefined) return paramsSchema(entry.params ?? {});
  if (!isJsonObject(schema)) return err('inputSchema is not an object');
  if (schema.type !== 'object') return err('inputSchema does not have "type": "object"');
  return ok(schema);
}
