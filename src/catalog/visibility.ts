import type { BackendId } from '#kernel/ids.ts';
import { holdsAll } from '#kernel/principal.ts';
import type {
  BackendState,
  CatalogPrompt,
  CatalogResource,
  CatalogTemplate,
  CatalogTool,
  Snapshot,
} from './snapshot.ts';

/** The part of a snapshot that one set of scopes sees, in the snapshot's order. */
export interface VisibleCatalog {
  readonly tools: readonly CatalogTool[];
  readonly prompts: readonly CatalogPrompt[];
  readonly resources: readonly CatalogResource[];
  readonly templates: readonly CatalogTemplate[];
  /** The backends of everything above; one that offers nothing visible is not among them. */
  readonly backends: readonly BackendState[];
}

/** Anything listed: what it needs, and whose it is. */
export interface ListedItem {
  readonly backend: BackendId;
  readonly definition: { readonly scopes: readonly string[] };
}

/**
 * Whether a caller sees an item: all its scopes are held, and its backend is among the chosen ones. `backends`
 * is the caller's own choice to see less (undefined: all), never an access control.
 */
export function isVisible(
  item: ListedItem,
  scopes: ReadonlySet<string>,
  backends: readonly string[] | undefined,
): boolean {
  if (backends !== undefined && !backends.includes(item.backend)) return false;
  return holdsAll(scopes, item.definition.scopes);
}

/** Everything a set of scopes sees of a snapshot, computed from nothing else. */
export function visibleCatalog(
  snapshot: Pick<Snapshot, 'tools' | 'prompts' | 'resources' | 'templates' | 'backends'>,
  scopes: ReadonlySet<string>,
  backends: readonly string[] | undefined,
): VisibleCatalog {
  const sees = (item: ListedItem) => isVisible(item, scopes, backends);
  const tools = [...snapshot.tools.values()].filter(sees);
  const prompts = [...snapshot.prompts.values()].filter(sees);
  const resources = [...snapshot.resources.values()].filter(sees);
  const templates = snapshot.templates.filter(sees);
  const seen = new Set<BackendId>();
  for (const items of [tools, prompts, resources, templates])
    for (const { backend } of items) seen.add(backend);
  return {
    tools,
    prompts,
    resources,
    templates,
    backends: [...snapshot.backends.values()].filter(({ id }) => seen.has(id)),
  };
}
