import { type BackendId, isBackendId } from '#kernel/ids.ts';
import { isJsonObject, isStringArray, type JsonObject, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { paramHeaders } from '#wire/param-headers.ts';
import type {
  BackendState,
  CatalogPrompt,
  CatalogResource,
  CatalogTemplate,
  CatalogTool,
  QuarantinedItem,
  Snapshot,
  Withheld,
} from './snapshot.ts';
import { uriMatcher } from './uri-template.ts';

/** Reads what `serialiseSnapshot` made. `unreadable`: not of this shape, as from another version's gateway. */
export function readSnapshot(value: unknown): Result<Snapshot, 'unreadable'> {
  if (!isJsonObject(value) || typeof value.generation !== 'number') return err('unreadable');
  const tools = readAll(value.tools, readTool);
  const prompts = readAll(value.prompts, readPrompt);
  const resources = readAll(value.resources, readResource);
  const templates = readAll(value.templates, readTemplate);
  const backends = readAll(value.backends, readBackend);
  const withheld = readAll(value.withheld, readWithheld);
  const formerNames = readNames(value.formerNames);
  const quarantined = readAll(value.quarantined, readQuarantined);
  if (!tools || !prompts || !resources || !templates) return err('unreadable');
  if (!backends || !withheld || !formerNames || !quarantined) return err('unreadable');
  const named = (kind: Withheld['kind']) =>
    new Map(quarantined.filter((one) => one.kind === kind).map(({ name, item }) => [name, item]));
  return ok({
    generation: value.generation,
    tools: new Map(tools.map((tool) => [tool.publicName, tool])),
    prompts: new Map(prompts.map((prompt) => [prompt.publicName, prompt])),
    resources: new Map(resources.map((resource) => [resource.uri, resource])),
    templates,
    backends: new Map(backends.map((backend) => [backend.id, backend])),
    formerNames,
    names: new Map(),
    withheld,
    quarantined: {
      tools: named('tool'),
      prompts: named('prompt'),
      resources: named('resource'),
      templates: [...named('template')].map(([uriTemplate, item]) => {
        const matcher = uriMatcher(uriTemplate);
        return { ...item, uriTemplate, matches: matcher.ok ? matcher.value : () => false };
      }),
    },
  });
}

interface Owned {
  readonly backend: BackendId;
  readonly scopes: readonly string[];
  readonly wire: JsonObject;
}

function readAll<T>(value: unknown, read: (item: JsonObject) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const all: T[] = [];
  for (const item of value) {
    const made = isJsonObject(item) ? read(item) : undefined;
    if (made === undefined) return undefined;
    all.push(made);
  }
  return all;
}

function readOwned({ backend, scopes, wire }: JsonObject): Owned | undefined {
  if (typeof backend !== 'string' || !isBackendId(backend)) return undefined;
  if (!isStringArray(scopes) || !isJsonObject(wire)) return undefined;
  return { backend, scopes, wire };
}

function readTool(item: JsonObject): CatalogTool | undefined {
  const owned = readOwned(item);
  const publicName = stringAt(item, 'publicName');
  const name = stringAt(item, 'ownName');
  if (owned === undefined || publicName === undefined || name === undefined) return undefined;
  const { backend, scopes, wire } = owned;
  const inputSchema = isJsonObject(wire.inputSchema) ? wire.inputSchema : {};
  const annotations = isJsonObject(wire.annotations) ? wire.annotations : {};
  const headers = paramHeaders(inputSchema);
  return {
    publicName,
    backend,
    paramHeaders: headers.ok ? headers.value : [],
    definition: {
      name,
      scopes,
      wire,
      description: stringAt(item, 'description'),
      inputSchema,
      hasOutputSchema: wire.outputSchema !== undefined,
      isReadOnly: annotations.readOnlyHint === true,
      isIdempotent: annotations.idempotentHint === true,
      version: stringAt(item, 'version'),
      deprecated: isJsonObject(item.deprecated) ? item.deprecated : undefined,
    },
  };
}

function readPrompt(item: JsonObject): CatalogPrompt | undefined {
  const owned = readOwned(item);
  const publicName = stringAt(item, 'publicName');
  const name = stringAt(item, 'ownName');
  if (owned === undefined || publicName === undefined || name === undefined) return undefined;
  const { backend, scopes, wire } = owned;
  return { publicName, backend, definition: { name, scopes, wire } };
}

function readResource(item: JsonObject): CatalogResource | undefined {
  const owned = readOwned(item);
  const uri = stringAt(item, 'uri');
  if (owned === undefined || uri === undefined) return undefined;
  const { backend, scopes, wire } = owned;
  return { uri, backend, definition: { uri, scopes, wire } };
}

function readTemplate(item: JsonObject): CatalogTemplate | undefined {
  const owned = readOwned(item);
  const uriTemplate = stringAt(item, 'uriTemplate');
  const matches = uriTemplate === undefined ? undefined : uriMatcher(uriTemplate);
  if (owned === undefined || uriTemplate === undefined || !matches?.ok) return undefined;
  const { backend, scopes, wire } = owned;
  return { uriTemplate, backend, definition: { uriTemplate, scopes, wire }, matches: matches.value };
}

function readBackend(item: JsonObject): BackendState | undefined {
  const { id, status, lastGoodAt, schemes } = item;
  if (typeof id !== 'string' || !isBackendId(id) || !isStringArray(schemes)) return undefined;
  if (status !== 'fresh' && status !== 'stale' && status !== 'gone') return undefined;
  return {
    id,
    status,
    lastGoodAt: typeof lastGoodAt === 'number' ? lastGoodAt : undefined,
    lastError: stringAt(item, 'lastError'),
    helpName: stringAt(item, 'helpName'),
    schemes,
  };
}

const kinds = ['tool', 'prompt', 'resource', 'template'] as const;
const reasons = [
  'name_collision',
  'name_too_long',
  'name_reserved',
  'name_illegal',
  'no_scope',
  'excluded',
  'illegal_param_header',
  'scheme_taken',
  'invalid_definition',
] as const;

function readWithheld(item: JsonObject): Withheld | undefined {
  const { backend, name } = item;
  const kind = kinds.find((one) => one === item.kind);
  const reason = reasons.find((one) => one === item.reason);
  if (typeof backend !== 'string' || !isBackendId(backend) || typeof name !== 'string') return undefined;
  return kind && reason && { backend, kind, name, reason };
}

const quarantineReasons = ['changed', 'new', 'baseline_full', 'baseline_unusable'] as const;

function readQuarantined(
  item: JsonObject,
): { readonly kind: Withheld['kind']; readonly name: string; readonly item: QuarantinedItem } | undefined {
  const { backend, name, scopes } = item;
  const kind = kinds.find((one) => one === item.kind);
  const reason = quarantineReasons.find((one) => one === item.reason);
  if (typeof backend !== 'string' || !isBackendId(backend) || typeof name !== 'string') return undefined;
  if (kind === undefined || reason === undefined || !isStringArray(scopes)) return undefined;
  return { kind, name, item: { backend, scopes, reason } };
}

function readNames(value: unknown): ReadonlyMap<string, string> | undefined {
  if (!isJsonObject(value)) return undefined;
  const names = new Map<string, string>();
  for (const [former, current] of Object.entries(value)) {
    if (typeof current !== 'string') return undefined;
    names.set(former, current);
  }
  return names;
}
