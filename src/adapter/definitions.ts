import { memberProblem, without } from '#contract/mcp-members.ts';
import { type ListShape, type ParsedList, parseList } from '#contract/parse-list.ts';
import type {
  PromptDefinition,
  ResourceDefinition,
  ResourceTemplateDefinition,
  ToolDefinition,
} from '#contract/types.ts';
import { matchesGlob } from '#kernel/glob.ts';
import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { type ParamHeader, paramHeaders } from '#wire/param-headers.ts';
import { publicToolMeta, type Uris } from './uris.ts';

/** The scopes of what a server lists: the operator's word alone, never the server's. */
export interface ScopeRules {
  readonly default: readonly string[];
  /** Glob over the server's own tool names -> scopes in place of the default; the first that matches counts. */
  readonly tools: ReadonlyMap<string, readonly string[]>;
}

export interface DefinitionRules {
  readonly scopes: ScopeRules;
  readonly uris: Uris;
  /** Of one list. */
  readonly maxDefinitions: number;
}

export function parseServerTools(
  entries: readonly unknown[],
  rules: DefinitionRules,
): Result<ParsedList<ToolDefinition>, string> {
  const shape: ListShape<ToolDefinition> = {
    member: 'entries',
    noun: 'tool',
    key: 'name',
    parse: (entry) => parseTool(entry, rules),
  };
  return parseList({ entries }, shape, rules.maxDefinitions);
}

export function parseServerPrompts(
  entries: readonly unknown[],
  rules: DefinitionRules,
): Result<ParsedList<PromptDefinition>, string> {
  const parse = (entry: JsonObject): Result<PromptDefinition, string> => {
    const problem = memberProblem(entry);
    if (problem !== undefined) return err(problem);
    if (entry.arguments !== undefined && !isNamedList(entry.arguments)) {
      return err('arguments is not a list of objects with a name');
    }
    const name = stringAt(entry, 'name') ?? '';
    return ok({ name, scopes: rules.scopes.default, wire: without(entry, ['name']) });
  };
  return parseList(
    { entries },
    { member: 'entries', noun: 'prompt', key: 'name', parse },
    rules.maxDefinitions,
  );
}

export function parseServerResources(
  entries: readonly unknown[],
  rules: DefinitionRules,
): Result<ParsedList<ResourceDefinition>, string> {
  const parse = (entry: JsonObject): Result<ResourceDefinition, string> => {
    const uri = publicUri(entry, 'uri', rules.uris);
    return uri.ok
      ? ok({ uri: uri.value, scopes: rules.scopes.default, wire: { ...entry, uri: uri.value } })
      : uri;
  };
  return parseList(
    { entries },
    { member: 'entries', noun: 'resource', key: 'uri', parse },
    rules.maxDefinitions,
  );
}

export function parseServerTemplates(
  entries: readonly unknown[],
  rules: DefinitionRules,
): Result<ParsedList<ResourceTemplateDefinition>, string> {
  const parse = (entry: JsonObject): Result<ResourceTemplateDefinition, string> => {
    const uri = publicUri(entry, 'uriTemplate', rules.uris);
    if (!uri.ok) return uri;
    const uriTemplate = uri.value;
    return ok({ uriTemplate, scopes: rules.scopes.default, wire: { ...entry, uriTemplate } });
  };
  const shape = { member: 'entries', noun: 'resource template', key: 'uriTemplate', parse };
  return parseList({ entries }, shape, rules.maxDefinitions);
}

/** What a tool mirrors into headers; none where its schema breaks the rules, since such a tool is not listed. */
export function headersOf(tool: ToolDefinition): readonly ParamHeader[] {
  const headers = paramHeaders(tool.inputSchema);
  return headers.ok ? headers.value : [];
}

function parseTool(entry: JsonObject, { scopes, uris }: DefinitionRules): Result<ToolDefinition, string> {
  const problem = memberProblem(entry);
  if (problem !== undefined) return err(problem);
  const { inputSchema, outputSchema, annotations, _meta } = entry;
  if (!isJsonObject(inputSchema)) return err('inputSchema is not an object');
  if (inputSchema.type !== 'object') return err('inputSchema does not have "type": "object"');
  if (outputSchema !== undefined && !isJsonObject(outputSchema)) return err('outputSchema is not an object');
  const headers = paramHeaders(inputSchema);
  if (!headers.ok) return err(`its x-mcp-header at ${headers.error.at} is illegal (${headers.error.fault})`);
  const name = stringAt(entry, 'name') ?? '';
  const hints = isJsonObject(annotations) ? annotations : {};
  const meta = isJsonObject(_meta) ? { _meta: publicToolMeta(_meta, uris) } : {};
  return ok({
    name,
    scopes: scopesOf(name, scopes),
    wire: { ...without(entry, ['name']), ...meta },
    description: stringAt(entry, 'description'),
    inputSchema,
    hasOutputSchema: outputSchema !== undefined,
    isReadOnly: hints.readOnlyHint === true,
    isIdempotent: hints.idempotentHint === true,
    version: undefined,
    deprecated: undefined,
  });
}

function scopesOf(name: string, rules: ScopeRules): readonly string[] {
  for (const [glob, scopes] of rules.tools) if (matchesGlob(glob, name)) return scopes;
  return rules.default;
}

function publicUri(entry: JsonObject, member: string, uris: Uris): Result<string, string> {
  const problem = memberProblem(entry);
  if (problem !== undefined) return err(problem);
  if (stringAt(entry, 'name') === undefined) return err('it has no name');
  const uri = stringAt(entry, member) ?? '';
  if (!/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(uri)) return err(`${member} does not start with a URI scheme`);
  return ok(uris.toPublic(uri));
}

function isNamedList(value: unknown): boolean {
  return (
    Array.isArray(value) && value.every((item) => isJsonObject(item) && stringAt(item, 'name') !== undefined)
  );
}
