import type { Backend } from '#backends/backend.ts';
import type { CatalogResource, CatalogTemplate, QuarantinedItem } from '#catalog/snapshot.ts';
import { holdsAll } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { McpCall } from './call.ts';
import type { EdgeDeps } from './deps.ts';
import { refuseHidden } from './missing-scope.ts';
import { quarantineRefusal } from './quarantine-refusal.ts';
import { governingItem, quarantinedItem, type Uris } from './readable.ts';
import type { Refusal } from './refusal.ts';

/** The backend that a URI is read from: only what is listed, or matches a template, and what the caller's scopes open. */
export function resourceTarget(
  deps: EdgeDeps,
  call: McpCall,
  uri: string,
): Result<Backend, Refusal> | Promise<Result<Backend, Refusal>> {
  const { snapshot, principal } = call;
  const shared = governedBy(snapshot, uri);
  const isShared = shared.item !== undefined || shared.withheld !== undefined;
  if (isShared || !deps.personal.concerns(principal)) return targetOf(deps, call, uri, shared);
  const part = deps.personal.of(snapshot, principal);
  return part instanceof Promise
    ? part.then((known) => targetOf(deps, call, uri, governedBy(known, uri)))
    : targetOf(deps, call, uri, governedBy(part, uri));
}

interface Governed {
  readonly item: CatalogResource | CatalogTemplate | undefined;
  /** What would decide if it were not quarantined. */
  readonly withheld: QuarantinedItem | undefined;
}

function governedBy(uris: Uris, uri: string): Governed {
  const item = governingItem(uris, uri);
  return { item, withheld: item === undefined ? quarantinedItem(uris, uri) : undefined };
}

function targetOf(
  deps: EdgeDeps,
  call: McpCall,
  uri: string,
  { item, withheld }: Governed,
): Result<Backend, Refusal> {
  const unknown: Refusal = { reason: 'resource_unknown', uri };
  if (item === undefined) return err(quarantineRefusal(call, withheld, 'resource', uri) ?? unknown);
  const backend = deps.backend(item.backend);
  if (backend === undefined) return err(unknown);
  const { scopes } = item.definition;
  call.facts.scopes = scopes;
  return holdsAll(call.principal.scopes, scopes)
    ? ok(backend)
    : err(refuseHidden(deps, call, scopes, unknown));
}
