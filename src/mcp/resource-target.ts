import type { Backend } from '#backends/backend.ts';
import type { CatalogResource, CatalogTemplate } from '#catalog/snapshot.ts';
import { holdsAll } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { McpCall } from './call.ts';
import type { EdgeDeps } from './deps.ts';
import { refuseHidden } from './missing-scope.ts';
import { governingItem } from './readable.ts';
import type { Refusal } from './refusal.ts';

/** The backend that a URI is read from: only what is listed, or matches a template, and what the caller's scopes open. */
export function resourceTarget(
  deps: EdgeDeps,
  call: McpCall,
  uri: string,
): Result<Backend, Refusal> | Promise<Result<Backend, Refusal>> {
  const { snapshot, principal } = call;
  const item = governingItem(snapshot, uri);
  if (item !== undefined || !deps.personal.concerns(principal)) return targetOf(deps, call, uri, item);
  const part = deps.personal.of(snapshot, principal);
  return part instanceof Promise
    ? part.then((known) => targetOf(deps, call, uri, governingItem(known, uri)))
    : targetOf(deps, call, uri, governingItem(part, uri));
}

function targetOf(
  deps: EdgeDeps,
  call: McpCall,
  uri: string,
  item: CatalogResource | CatalogTemplate | undefined,
): Result<Backend, Refusal> {
  const unknown: Refusal = { reason: 'resource_unknown', uri };
  const backend = item && deps.backend(item.backend);
  if (item === undefined || backend === undefined) return err(unknown);
  const { scopes } = item.definition;
  call.facts.scopes = scopes;
  return holdsAll(call.principal.scopes, scopes)
    ? ok(backend)
    : err(refuseHidden(deps, call, scopes, unknown));
}
