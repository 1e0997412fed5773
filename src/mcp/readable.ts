import { governingTemplate } from '#catalog/governing-template.ts';
import type { CatalogResource, CatalogTemplate, Snapshot } from '#catalog/snapshot.ts';
import { holdsAll, type Principal } from '#kernel/principal.ts';
import { architectureUri } from './builtins/architecture.ts';

/** What decides over a URI: the listed resource, else the most specific template that matches it. */
export function governingItem(
  snapshot: Snapshot,
  uri: string,
): CatalogResource | CatalogTemplate | undefined {
  return snapshot.resources.get(uri) ?? governingTemplate(snapshot.templates, uri);
}

/** Whether a principal's scopes open a URI. */
export function isReadable(snapshot: Snapshot, principal: Principal, uri: string): boolean {
  if (uri === architectureUri) return true;
  const item = governingItem(snapshot, uri);
  return item !== undefined && holdsAll(principal.scopes, item.definition.scopes);
}
