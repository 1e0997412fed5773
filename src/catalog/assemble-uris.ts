import type { ResourceDefinition, ResourceTemplateDefinition } from '#contract/types.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { AssembleSource, BackendRules } from './assemble.ts';
import { byCodeUnits } from './order.ts';
import type { CatalogResource, CatalogTemplate, Snapshot, Withheld } from './snapshot.ts';
import { uriScheme } from './uri-scheme.ts';
import { uriMatcher } from './uri-template.ts';

export interface AssembledUris {
  readonly resources: ReadonlyMap<string, CatalogResource>;
  readonly templates: readonly CatalogTemplate[];
  /** Backend -> the schemes whose reads go to it, in code-unit order. */
  readonly schemes: ReadonlyMap<BackendId, readonly string[]>;
  readonly withheld: readonly Withheld[];
}

/**
 * Resources and templates, each scheme one backend's: whoever had it keeps it as long as it offers it, even
 * while it is gone; otherwise the first in the code-unit order of ids has it, and the rest is `scheme_taken`.
 * Servers that share schemes have whatever is left.
 */
export function assembleUris(
  sources: readonly AssembleSource[],
  reservedSchemes: ReadonlySet<string>,
  before: Snapshot,
): AssembledUris {
  const owners = schemeOwners(sources, reservedSchemes);
  const resources = new Map<string, CatalogResource>();
  const templates = new Map<string, CatalogTemplate>();
  const known = new Map(before.templates.map((template) => [template.definition, template]));
  const withheld: Withheld[] = [];

  for (const { rules, state, catalog } of sources) {
    if (state.status === 'gone') continue;
    const { id } = state;
    const isOwn = uriRule(id, rules, (scheme) => owners.get(scheme), reservedSchemes);
    for (const definition of catalog?.resources ?? []) {
      const { uri } = definition;
      const reason =
        uriRefusal(uri, definition, isOwn) ?? (resources.has(uri) ? 'name_collision' : undefined);
      if (reason !== undefined) {
        withheld.push({ backend: id, kind: 'resource', name: uri, reason });
        continue;
      }
      const old = before.resources.get(uri);
      resources.set(
        uri,
        old?.definition === definition && old.backend === id ? old : { uri, backend: id, definition },
      );
    }
    for (const definition of catalog?.resourceTemplates ?? []) {
      const { uriTemplate } = definition;
      const old = known.get(definition);
      const template = old?.backend === id ? old : templateOf(definition, id);
      const reason =
        uriRefusal(uriTemplate, definition, isOwn) ??
        (templates.has(uriTemplate) ? 'name_collision' : undefined);
      if (reason !== undefined || template === undefined) {
        const name = uriTemplate;
        withheld.push({ backend: id, kind: 'template', name, reason: reason ?? 'invalid_definition' });
        continue;
      }
      templates.set(uriTemplate, template);
    }
  }
  return {
    resources: new Map([...resources].sort(([a], [b]) => byCodeUnits(a, b))),
    templates: [...templates.values()].sort((a, b) => byCodeUnits(a.uriTemplate, b.uriTemplate)),
    schemes: schemesByBackend(owners),
    withheld,
  };
}

/** A template with its matcher; undefined where it is none. */
export function templateOf(
  definition: ResourceTemplateDefinition,
  backend: BackendId,
): CatalogTemplate | undefined {
  const matches = uriMatcher(definition.uriTemplate);
  if (!matches.ok) return undefined;
  return { uriTemplate: definition.uriTemplate, backend, definition, matches: matches.value };
}

/** Why a resource or template may not be listed, whatever else is; undefined where it may. */
export function uriRefusal(
  uri: string,
  { scopes }: ResourceDefinition | ResourceTemplateDefinition,
  isOwn: (uri: string, scheme: string) => boolean,
): Withheld['reason'] | undefined {
  if (scopes.length === 0) return 'no_scope';
  const scheme = uriScheme(uri);
  if (scheme === undefined) return 'invalid_definition';
  return isOwn(uri, scheme) ? undefined : 'scheme_taken';
}

/** Which URIs are a backend's to list: those of its schemes, or, where it shares, those that carry its id and are nobody's. */
export function uriRule(
  id: BackendId,
  { sharesSchemes }: BackendRules,
  ownerOf: (scheme: string) => BackendId | undefined,
  reservedSchemes: ReadonlySet<string>,
): (uri: string, scheme: string) => boolean {
  if (!sharesSchemes) return (_uri, scheme) => ownerOf(scheme) === id;
  return (uri, scheme) => {
    const rest = uri.slice(scheme.length + 1);
    const isMarked = rest.startsWith(`//${id}/`) || rest.startsWith(`${id}/`);
    // Clients fetch these by themselves, from where they say: nobody's id is put into them.
    const isDirect = scheme === 'https' || scheme === 'http';
    return (isMarked || isDirect) && ownerOf(scheme) === undefined && !reservedSchemes.has(scheme);
  };
}

function schemeOwners(
  sources: readonly AssembleSource[],
  reservedSchemes: ReadonlySet<string>,
): ReadonlyMap<string, BackendId> {
  const owners = new Map<string, BackendId>();
  const offered = sources
    .filter(({ rules }) => !rules.sharesSchemes)
    .sort((a, b) => byCodeUnits(a.state.id, b.state.id))
    .map((source) => ({
      id: source.state.id,
      had: new Set(source.state.schemes),
      offers: schemesOf(source),
    }));
  for (const { id, had, offers } of offered)
    for (const scheme of offers) if (had.has(scheme) && !owners.has(scheme)) owners.set(scheme, id);
  for (const { id, offers } of offered)
    for (const scheme of offers)
      if (!owners.has(scheme) && !reservedSchemes.has(scheme)) owners.set(scheme, id);
  for (const scheme of reservedSchemes) owners.delete(scheme);
  return owners;
}

/** Schemes that a backend offers something under; what names no scope claims none. */
function schemesOf({ catalog }: AssembleSource): ReadonlySet<string> {
  const schemes = new Set<string>();
  const add = (uri: string, scopes: readonly string[]) => {
    const scheme = scopes.length === 0 ? undefined : uriScheme(uri);
    if (scheme !== undefined) schemes.add(scheme);
  };
  for (const { uri, scopes } of catalog?.resources ?? []) add(uri, scopes);
  for (const { uriTemplate, scopes } of catalog?.resourceTemplates ?? []) add(uriTemplate, scopes);
  return schemes;
}

function schemesByBackend(owners: ReadonlyMap<string, BackendId>): Map<BackendId, readonly string[]> {
  const schemes = new Map<BackendId, string[]>();
  for (const [scheme, id] of owners) {
    const own = schemes.get(id);
    if (own === undefined) schemes.set(id, [scheme]);
    else own.push(scheme);
  }
  for (const own of schemes.values()) own.sort(byCodeUnits);
  return schemes;
}
