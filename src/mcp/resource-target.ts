import type { Backend } from '#backends/backend.ts';
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
  const isShared = governingItem(snapshot, uri) !== undefined || quarantinedItem(snapshot, uri) !== undefined;
  if (isShared || !deps.personal.concerns(principal)) return targetOf(deps, call, uri, snapshot);
  const part = deps.personal.of(snapshot, principal);
  return part instanceof Promise
    ? part.then((known) => targetOf(deps, call, uri, known))
    : targetOf(deps, call, uri, part);
}

function targetOf(deps: EdgeDeps, call: McpCall, uri: string, uris: Uris): Result<Backend, Refusal> {
  const unknown: Refusal = { reason: 'resource_unknown', uri };
  const item = governingItem(uris, uri);
  if (item === undefined) {
    return err(quarantineRefusal(call, quarantinedItem(uris, uri), 'resource', uri) ?? unknown);
  }
  const backend = deps.backend(item.backend);
  if (backend === undefined) return err(unknown);
  const { scopes } = item.definition;
  call.facts.scopes = scopes;
  return holdsAll(call.principal.scopes, scopes)
    ? ok(backend)
    : err(refuseHidden(deps, call, scopes, unknown));
}
