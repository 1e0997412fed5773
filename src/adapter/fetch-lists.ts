import { createHash } from 'node:crypto';
import type { BackendFailure } from '#backends/backend.ts';
import { failure } from '#backends/failures.ts';
import type { ParsedList } from '#contract/parse-list.ts';
import type {
  PromptDefinition,
  ResourceDefinition,
  ResourceTemplateDefinition,
  ToolDefinition,
} from '#contract/types.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Era } from '#wire/protocol.ts';
import { type Connection, silent } from './connection.ts';
import {
  type DefinitionRules,
  parseServerPrompts,
  parseServerResources,
  parseServerTemplates,
  parseServerTools,
} from './definitions.ts';
import { rpcFailure } from './rpc-failure.ts';

/** One list of a server as one owner saw it. */
export interface FetchedList<T> {
  readonly definitions: readonly T[];
  readonly problems: readonly string[];
  /** Whether every page said `cacheScope: public` (R44); a list that the server does not have hides nothing. */
  readonly isPublic: boolean;
  /** Equal digests are equal lists. */
  readonly digest: string;
  readonly bytes: number;
}
export interface FetchedLists {
  readonly era: Era;
  readonly tools: FetchedList<ToolDefinition>;
  readonly prompts: FetchedList<PromptDefinition>;
  readonly resources: FetchedList<ResourceDefinition>;
  readonly resourceTemplates: FetchedList<ResourceTemplateDefinition>;
}

export interface FetchListsOptions {
  readonly rules: DefinitionRules;
  /** Of each page. */
  readonly timeoutMs: number;
  /** Of all pages of one list. */
  readonly maxBytes: number;
}

interface Kind<T> {
  readonly method: string;
  readonly member: string;
  readonly capability: string;
  readonly parse: (entries: readonly unknown[], rules: DefinitionRules) => Result<ParsedList<T>, string>;
}
const toolsKind: Kind<ToolDefinition> = {
  method: 'tools/list',
  member: 'tools',
  capability: 'tools',
  parse: parseServerTools,
};
const promptsKind: Kind<PromptDefinition> = {
  method: 'prompts/list',
  member: 'prompts',
  capability: 'prompts',
  parse: parseServerPrompts,
};
const resourcesKind: Kind<ResourceDefinition> = {
  method: 'resources/list',
  member: 'resources',
  capability: 'resources',
  parse: parseServerResources,
};
const templatesKind: Kind<ResourceTemplateDefinition> = {
  method: 'resources/templates/list',
  member: 'resourceTemplates',
  capability: 'resources',
  parse: parseServerTemplates,
};

/**
 * Everything a server lists to one owner, page by page. Without the tools there is no answer; another list that fails
 * keeps what was there before and is reported.
 */
export async function fetchLists(
  connection: Connection,
  options: FetchListsOptions,
  before: FetchedLists | undefined,
  signal: AbortSignal,
): Promise<Result<FetchedLists, BackendFailure>> {
  const agreed = await connection.agreed(signal);
  if (!agreed.ok) return agreed;
  const said = await connection.capabilities(signal);
  if (!said.ok) return said;
  const fetch = async <T>(kind: Kind<T>): Promise<Result<FetchedList<T>, BackendFailure>> =>
    isOffered(said.value, kind.capability) ? fetchList(connection, kind, options, signal) : ok(empty([]));
  const [tools, prompts, resources, templates] = await Promise.all([
    fetch(toolsKind),
    fetch(promptsKind),
    fetch(resourcesKind),
    fetch(templatesKind),
  ]);
  if (!tools.ok) return tools;
  return ok({
    era: agreed.value.era,
    tools: tools.value,
    prompts: keptOr(prompts, promptsKind.method, before?.prompts),
    resources: keptOr(resources, resourcesKind.method, before?.resources),
    resourceTemplates: keptOr(templates, templatesKind.method, before?.resourceTemplates),
  });
}

/** The tools alone: what to do where a server finds our headers wrong (R41). */
export async function fetchTools(
  connection: Connection,
  options: FetchListsOptions,
  signal: AbortSignal,
): Promise<readonly ToolDefinition[]> {
  const fetched = await fetchList(connection, toolsKind, options, signal);
  return fetched.ok ? fetched.value.definitions : [];
}

function isOffered(capabilities: JsonObject | undefined, name: string): boolean {
  return capabilities === undefined || isJsonObject(capabilities[name]);
}

function empty<T>(problems: readonly string[]): FetchedList<T> {
  return { definitions: [], problems, isPublic: true, digest: '', bytes: 0 };
}

function keptOr<T>(
  fetched: Result<FetchedList<T>, BackendFailure>,
  method: string,
  before: FetchedList<T> | undefined,
): FetchedList<T> {
  if (fetched.ok) return fetched.value;
  const { reason, message } = fetched.error;
  const problem = `${method} (${reason}): ${message}`;
  return before === undefined ? empty([problem]) : { ...before, problems: [problem] };
}

async function fetchList<T>(
  connection: Connection,
  kind: Kind<T>,
  options: FetchListsOptions,
  signal: AbortSignal,
): Promise<Result<FetchedList<T>, BackendFailure>> {
  const { method, member } = kind;
  const entries: unknown[] = [];
  const cursors = new Set<string>();
  const problems: string[] = [];
  let isPublic = true;
  let bytes = 0;
  let cursor: string | undefined;
  for (let page = 1; ; page++) {
    const answered = await connection.request({
      ...silent,
      method,
      params: cursor === undefined ? {} : { cursor },
      isRepeatable: true,
      timeoutMs: options.timeoutMs,
      maxBytes: options.maxBytes - bytes,
      signal,
    });
    if (!answered.ok) return answered;
    const { message } = answered.value.response;
    bytes += answered.value.bytes;
    const result = message.kind === 'response' ? message.result : undefined;
    if (result === undefined) {
      const refused = rpcFailure((message.kind === 'response' ? message.error : undefined) ?? {});
      return refused.reason === 'unsupported' ? ok(empty([])) : err(refused);
    }
    const listed = result[member];
    if (!isList(listed)) {
      return err(failure('not_json', { message: `The answer to ${method} has no list named ${member}.` }));
    }
    for (const entry of listed) entries.push(entry);
    isPublic &&= result.cacheScope === 'public';
    const next = result.nextCursor;
    if (typeof next !== 'string') break;
    if (bytes >= options.maxBytes) return err(failure('too_large'));
    if (cursors.has(next) || page >= limits.maxListPages || entries.length > options.rules.maxDefinitions) {
      problems.push(`${method}: there are too many pages, the rest is left out`);
      break;
    }
    cursors.add(next);
    cursor = next;
  }
  const parsed = kind.parse(entries, options.rules);
  if (!parsed.ok) return err(failure('not_json', { message: `${method}: ${parsed.error}.` }));
  const { definitions } = parsed.value;
  const digest = createHash('sha256').update(JSON.stringify(definitions)).digest('base64url');
  return ok({ definitions, problems: [...parsed.value.problems, ...problems], isPublic, digest, bytes });
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
