import { governingTemplate } from '#catalog/governing-template.ts';
import type { CatalogResource, CatalogTemplate, QuarantinedItem, Snapshot } from '#catalog/snapshot.ts';
import { holdsAll, type Principal } from '#kernel/principal.ts';
import { architectureUri } from './builtins/architecture.ts';
import type { EdgeDeps } from './deps.ts';

/** Lists of resources, with what was taken out of them. */
export type Uris = Pick<Snapshot, 'resources' | 'templates' | 'quarantined'>;

/**
 * What decides over a URI: the listed resource, else the most specific template that matches it. Nothing, where that is
 * quarantined: a wider template with other scopes must not decide in its place.
 */
export function governingItem(uris: Uris, uri: string): CatalogResource | CatalogTemplate | undefined {
  if (quarantinedItem(uris, uri) !== undefined) return undefined;
  return uris.resources.get(uri) ?? governingTemplate(uris.templates, uri);
}

/** What would decide over a URI if it were not quarantined. */
export function quarantinedItem(
  { resources, templates, quarantined }: Uris,
  uri: string,
): QuarantinedItem | undefined {
  if (resources.has(uri)) return undefined;
  const resource = quarantined.resources.get(uri);
  if (resource !== undefined || quarantined.templates.length === 0) return resource;
  const all: readonly Pick<CatalogTemplate, 'uriTemplate' | 'matches'>[] = [
    ...templates,
    ...quarantined.templates,
  ];
  const governing = governingTemplate(all, uri);
  return quarantined.templates.find((template) => template === governing);
}

/** The same, of everything that is known for a principal at once: what is listed to all comes first. */
export function knownItem(
  { personal }: Pick<EdgeDeps, 'personal'>,
  snapshot: Snapshot,
  principal: Principal,
  uri: string,
): CatalogResource | CatalogTemplate | undefined {
  const shared = governingItem(snapshot, uri);
  if (shared !== undefined || !personal.concerns(principal)) return shared;
  if (quarantinedItem(snapshot, uri) !== undefined) return undefined;
  return governingItem(personal.known(snapshot, principal), uri);
}

/** Whether a principal's scopes open a URI. */
export function isReadable(
  deps: Pick<EdgeDeps, 'personal'>,
  snapshot: Snapshot,
  principal: Principal,
  uri: string,
): boolean {
  if (uri === architectureUri) return true;
  const item = knownItem(deps, snapshot, principal, uri);
  return item !== undefined && holdsAll(principal.scopes, item.definition.scopes);
}
