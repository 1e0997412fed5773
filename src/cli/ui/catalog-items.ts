import { firstSentence } from '#catalog/compact.ts';
import { quarantinedItems } from '#catalog/quarantined-items.ts';
import type { Snapshot, Withheld } from '#catalog/snapshot.ts';
import { type VisibleCatalog, visibleCatalog } from '#catalog/visibility.ts';
import type { JsonObject } from '#kernel/json.ts';
import { listCosts } from '../catalog-cost.ts';
import { flatText } from './outside-text.ts';

/** A row of the browser. */
export interface CatalogItem {
  readonly kind: Withheld['kind'];
  /** The public name or the URI, safe to show. */
  readonly name: string;
  readonly backend: string;
  readonly scopes: readonly string[];
  readonly summary: string;
  /** As it came: whoever shows it makes it safe. */
  readonly wire: JsonObject;
  readonly bytes: number;
  /** Why nobody sees it; undefined: whoever holds its scopes does. */
  readonly hiddenBecause: string | undefined;
  /** What a filter looks in, in small letters. */
  readonly searched: string;
}

/** What one plan, or whoever was asked about, sees. */
export interface CatalogTab {
  readonly name: string;
  readonly items: readonly CatalogItem[];
  /** Bytes of its list of tools; undefined: nobody is given this list. */
  readonly bytes: { readonly full: number; readonly search: number } | undefined;
}

export interface CatalogPlan {
  readonly name: string;
  readonly scopes: ReadonlySet<string>;
}

/** The tabs: what was asked about, then each plan, then what nobody sees. */
export function catalogTabs(
  snapshot: Snapshot,
  asked: CatalogPlan,
  plans: readonly CatalogPlan[],
  backends: readonly string[] | undefined,
): readonly CatalogTab[] {
  const made = new Map<object, CatalogItem>();
  const tabs = [asked, ...plans].map(({ name, scopes }) =>
    tabOf(name, visibleCatalog(snapshot, scopes, backends), made),
  );
  const hidden = hiddenItems(snapshot).filter(({ backend }) => backends?.includes(backend) ?? true);
  return hidden.length === 0 ? tabs : [...tabs, { name: 'hidden', items: hidden, bytes: undefined }];
}

function tabOf(name: string, seen: VisibleCatalog, made: Map<object, CatalogItem>): CatalogTab {
  const once = (source: object, make: () => CatalogItem): CatalogItem => {
    const item = made.get(source) ?? make();
    made.set(source, item);
    return item;
  };
  const [full, search] = listCosts(seen);
  return {
    name,
    items: [
      ...seen.tools.map((tool) =>
        once(tool, () => itemOf('tool', tool.publicName, tool.backend, tool.definition)),
      ),
      ...seen.prompts.map((one) =>
        once(one, () => itemOf('prompt', one.publicName, one.backend, one.definition)),
      ),
      ...seen.resources.map((one) =>
        once(one, () => itemOf('resource', one.uri, one.backend, one.definition)),
      ),
      ...seen.templates.map((one) =>
        once(one, () => itemOf('template', one.uriTemplate, one.backend, one.definition)),
      ),
    ],
    bytes: { full: full?.bytes ?? 0, search: search?.bytes ?? 0 },
  };
}

function itemOf(
  kind: CatalogItem['kind'],
  name: string,
  backend: string,
  definition: { readonly scopes: readonly string[]; readonly wire: JsonObject },
): CatalogItem {
  const { scopes, wire } = definition;
  const description = typeof wire.description === 'string' ? wire.description : '';
  const item = {
    kind,
    name: flatText(name),
    backend,
    scopes: scopes.map(flatText),
    summary: flatText(firstSentence(description)),
    wire,
    bytes: Buffer.byteLength(JSON.stringify({ name, ...wire })),
    hiddenBecause: undefined,
  };
  const schema = isNamed(wire.inputSchema) ? Object.keys(wire.inputSchema.properties) : [];
  return {
    ...item,
    searched: [item.name, backend, ...item.scopes, description, ...schema].join('\n').toLowerCase(),
  };
}

function isNamed(schema: unknown): schema is { readonly properties: object } {
  return (
    typeof schema === 'object' &&
    schema !== null &&
    'properties' in schema &&
    typeof schema.properties === 'object' &&
    schema.properties !== null
  );
}

function hiddenItems(snapshot: Snapshot): readonly CatalogItem[] {
  const hidden = (
    kind: CatalogItem['kind'],
    name: string,
    backend: string,
    scopes: readonly string[],
    why: string,
  ) => ({
    kind,
    name: flatText(name),
    backend,
    scopes: scopes.map(flatText),
    summary: why,
    wire: {},
    bytes: 0,
    hiddenBecause: why,
    searched: `${name}\n${backend}\n${why}`.toLowerCase(),
  });
  return [
    ...quarantinedItems(snapshot.quarantined).map(({ kind, name, item }) =>
      hidden(kind, name, item.backend, item.scopes, `quarantined: ${item.reason}`),
    ),
    ...snapshot.withheld.map(({ kind, name, backend, reason }) =>
      hidden(kind, name, backend, [], `withheld: ${reason}`),
    ),
  ];
}
