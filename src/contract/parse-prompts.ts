import { isJsonObject, type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { memberProblem, without } from './mcp-members.ts';
import { type ListShape, type ParsedList, parseList } from './parse-list.ts';
import { parseScopes } from './scope.ts';
import type { PromptDefinition } from './types.ts';

const shape: ListShape<PromptDefinition> = {
  member: 'prompts',
  noun: 'prompt',
  key: 'name',
  parse: parsePrompt,
};

/** Parses the answer of `list_prompts`. */
export function parsePrompts(answer: unknown, max: number): Result<ParsedList<PromptDefinition>, string> {
  return parseList(answer, shape, max);
}

function parsePrompt(entry: JsonObject): Result<PromptDefinition, string> {
  const scopes = parseScopes(entry.scope);
  if (!scopes.ok) return scopes;
  const problem = memberProblem(entry);
  if (problem !== undefined) return err(problem);
  if (entry.arguments !== undefined && !isArgumentList(entry.arguments)) {
    return err('arguments is not a list of objects with a name');
  }
  return ok({
    name: stringAt(entry, 'name') ?? '',
    scopes: scopes.value,
    wire: without(entry, ['name', 'scope']),
  });
}

function isArgumentList(value: unknown): boolean {
  return (
    Array.isArray(value) && value.every((item) => isJsonObject(item) && stringAt(item, 'name') !== undefined)
  );
}
