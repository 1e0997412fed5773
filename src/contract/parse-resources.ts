import { type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { memberProblem, without } from './mcp-members.ts';
import { type ListShape, type ParsedList, parseList } from './parse-list.ts';
import { parseScopes } from './scope.ts';
import type { ResourceDefinition, ResourceTemplateDefinition } from './types.ts';

const resourceShape: ListShape<ResourceDefinition> = {
  member: 'resources',
  noun: 'resource',
  key: 'uri',
  parse: (entry) => parseWith(entry, 'uri', (uri, rest) => ({ uri, ...rest })),
};

const templateShape: ListShape<ResourceTemplateDefinition> = {
  member: 'resourceTemplates',
  noun: 'resource template',
  key: 'uriTemplate',
  parse: (entry) => parseWith(entry, 'uriTemplate', (uriTemplate, rest) => ({ uriTemplate, ...rest })),
};

/** Parses the answer of `list_resources`. */
export function parseResources(answer: unknown, max: number): Result<ParsedList<ResourceDefinition>, string> {
  return parseList(answer, resourceShape, max);
}

/** Parses the answer of `list_resource_templates`. */
export function parseResourceTemplates(
  answer: unknown,
  max: number,
): Result<ParsedList<ResourceTemplateDefinition>, string> {
  return parseList(answer, templateShape, max);
}

function parseWith<T>(
  entry: JsonObject,
  key: string,
  build: (uri: string, rest: { readonly scopes: readonly string[]; readonly wire: JsonObject }) => T,
): Result<T, string> {
  const scopes = parseScopes(entry.scope);
  if (!scopes.ok) return scopes;
  const problem = memberProblem(entry);
  if (problem !== undefined) return err(problem);
  if (stringAt(entry, 'name') === undefined) return err('it has no name');
  const uri = stringAt(entry, key) ?? '';
  if (!/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(uri)) return err(`${key} does not start with a URI scheme`);
  return ok(build(uri, { scopes: scopes.value, wire: without(entry, ['scope']) }));
}
