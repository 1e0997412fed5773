import { governingTemplate } from '#catalog/governing-template.ts';
import type { CatalogResource, CatalogTemplate, Snapshot } from '#catalog/snapshot.ts';
import { holdsAll, type Principal } from '#kernel/principal.ts';
import { architectureUri } from './builtins/architecture.ts';
import type { EdgeDeps } from './deps.ts';

/** What decides over a URI: the listed resource, else the most specific template that matches it. */
export function governingItem(
  { resources, templates }: Pick<Snapshot, 'resources' | 'templates'>,
  uri: string,
): CatalogResource | CatalogTemplate | undefined {
  return resources.get(uri) ?? governingTemplate(templates, uri);
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
