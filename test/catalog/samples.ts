import type { Backend, BackendFailure, Discovery } from '#backends/backend.ts';
import { type AssembleRules, type AssembleSource, assemble } from '#catalog/assemble.ts';
import { emptySnapshot } from '#catalog/empty-snapshot.ts';
import type { NameTable } from '#catalog/naming.ts';
import type { BackendState, Snapshot } from '#catalog/snapshot.ts';
import type { BackendCatalog, ToolDefinition } from '#contract/types.ts';
import { type BackendId, isBackendId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import { err, type Result } from '#kernel/result.ts';

export function backendId(text: string): BackendId {
  if (!isBackendId(text)) throw new Error(`no backend id: ${text}`);
  return text;
}

export function tool(name: string, over: Partial<ToolDefinition> = {}): ToolDefinition {
  const inputSchema: JsonObject = over.inputSchema ?? { type: 'object', properties: {} };
  const description = over.description ?? `Does ${name}.`;
  return {
    name,
    scopes: ['read'],
    wire: { description, inputSchema },
    description,
    inputSchema,
    hasOutputSchema: false,
    isReadOnly: false,
    isIdempotent: false,
    version: undefined,
    deprecated: undefined,
    ...over,
  };
}

export function catalogOf(over: Partial<BackendCatalog> = {}): BackendCatalog {
  return { tools: [], prompts: [], resources: [], resourceTemplates: [], ...over };
}

export function resource(uri: string, scopes: readonly string[] = ['read']) {
  return { uri, scopes, wire: { uri, name: uri } };
}
export function template(uriTemplate: string, scopes: readonly string[] = ['read']) {
  return { uriTemplate, scopes, wire: { uriTemplate, name: uriTemplate } };
}
export function prompt(name: string, scopes: readonly string[] = ['read']) {
  return { name, scopes, wire: { description: name } };
}

export const rules: AssembleRules = {
  maxLength: 48,
  reserved: new Set(['whoami', 'find_tools']),
  formerNameGraceMs: 1_000,
  reservedSchemes: new Set(['cortex']),
};

export function source(
  id: string,
  catalog: Partial<BackendCatalog> | undefined,
  over: {
    prefix?: string;
    include?: readonly string[];
    exclude?: readonly string[];
    hasHelp?: boolean;
    sharesSchemes?: boolean;
    status?: BackendState['status'];
    schemes?: readonly string[];
  } = {},
): AssembleSource {
  return {
    rules: {
      prefix: over.prefix ?? id,
      include: over.include ?? [],
      exclude: over.exclude ?? [],
      hasHelp: over.hasHelp ?? false,
      sharesSchemes: over.sharesSchemes ?? false,
    },
    state: {
      id: backendId(id),
      status: over.status ?? 'fresh',
      lastGoodAt: 1,
      lastError: undefined,
      helpName: undefined,
      schemes: over.schemes ?? [],
    },
    catalog: catalog === undefined ? undefined : catalogOf(catalog),
  };
}

export function snapshotOf(
  sources: readonly AssembleSource[],
  from: { names?: NameTable; before?: Snapshot; now?: number } = {},
) {
  return assemble({
    sources,
    names: from.names ?? new Map(),
    rules,
    now: from.now ?? 0,
    before: from.before ?? emptySnapshot,
  });
}

/** A backend that lists what it is told to and can do nothing else. */
export function listing(
  id: string,
  discover: (etag: string | undefined, signal: AbortSignal) => Promise<Result<Discovery, BackendFailure>>,
): Backend {
  const refused = () => Promise.reject(new Error('only lists'));
  return {
    id: backendId(id),
    discover,
    call: refused,
    read: refused,
    prompt: refused,
    complete: refused,
    help: refused,
    whoami: refused,
    ticket: refused,
    health: () => ({ breaker: 'closed', inFlight: 0 }),
    close: () => Promise.resolve(),
  };
}

export function listed(catalog: BackendCatalog, etag?: string): Result<Discovery, BackendFailure> {
  return { ok: true, value: { kind: 'catalog', catalog, etag, problems: [] } };
}

export function failed(reason: BackendFailure['reason']): Result<Discovery, BackendFailure> {
  return err({
    reason,
    message: 'no luck',
    status: undefined,
    requiredScopes: undefined,
    retryAfterSeconds: undefined,
    body: undefined,
  });
}
