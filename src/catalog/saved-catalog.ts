import type {
  BackendCatalog,
  PromptDefinition,
  ResourceDefinition,
  ResourceTemplateDefinition,
  ToolDefinition,
} from '#contract/types.ts';
import { isJsonObject, isStringArray, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** A backend's last good catalog with the URI schemes it had. */
export interface SavedCatalog {
  readonly catalog: BackendCatalog;
  readonly schemes: readonly string[];
}

/** The text that `parseSavedCatalog` reads. */
export function writeSavedCatalog(saved: SavedCatalog): string {
  return JSON.stringify({ version: 1, ...saved });
}

/** Reads what `writeSavedCatalog` wrote. `unreadable`: damaged, or of a version this one does not know. */
export function parseSavedCatalog(text: string): Result<SavedCatalog, 'unreadable'> {
  const parsed = parseJson(text);
  if (!parsed.ok || !isJsonObject(parsed.value)) return err('unreadable');
  const { version, catalog, schemes } = parsed.value;
  if (version !== 1 || !isJsonObject(catalog) || !isStringArray(schemes)) return err('unreadable');
  const tools = parseAll(catalog.tools, parseTool);
  const prompts = parseAll(catalog.prompts, parsePrompt);
  const resources = parseAll(catalog.resources, parseResource);
  const resourceTemplates = parseAll(catalog.resourceTemplates, parseTemplate);
  if (!tools || !prompts || !resources || !resourceTemplates) return err('unreadable');
  return ok({ catalog: { tools, prompts, resources, resourceTemplates }, schemes });
}

function parseAll<T>(value: unknown, parse: (item: JsonObject) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const all: T[] = [];
  for (const item of value) {
    const parsed = isJsonObject(item) ? parse(item) : undefined;
    if (parsed === undefined) return undefined;
    all.push(parsed);
  }
  return all;
}

function parseTool(item: JsonObject): ToolDefinition | undefined {
  const { name, scopes, wire, inputSchema, hasOutputSchema, isReadOnly, isIdempotent, deprecated } = item;
  if (typeof name !== 'string' || !isStringArray(scopes) || !isJsonObject(wire)) return undefined;
  if (!isJsonObject(inputSchema) || typeof hasOutputSchema !== 'boolean') return undefined;
  if (typeof isReadOnly !== 'boolean' || typeof isIdempotent !== 'boolean') return undefined;
  return {
    name,
    scopes,
    wire,
    description: stringAt(item, 'description'),
    inputSchema,
    hasOutputSchema,
    isReadOnly,
    isIdempotent,
    version: stringAt(item, 'version'),
    deprecated: isJsonObject(deprecated) ? deprecated : undefined,
  };
}

function parsePrompt({ name, scopes, wire }: JsonObject): PromptDefinition | undefined {
  if (typeof name !== 'string' || !isStringArray(scopes) || !isJsonObject(wire)) return undefined;
  return { name, scopes, wire };
}

function parseResource({ uri, scopes, wire }: JsonObject): ResourceDefinition | undefined {
  if (typeof uri !== 'string' || !isStringArray(scopes) || !isJsonObject(wire)) return undefined;
  return { uri, scopes, wire };
}

function parseTemplate({ uriTemplate, scopes, wire }: JsonObject): ResourceTemplateDefinition | undefined {
  if (typeof uriTemplate !== 'string' || !isStringArray(scopes) || !isJsonObject(wire)) return undefined;
  return { uriTemplate, scopes, wire };
}
