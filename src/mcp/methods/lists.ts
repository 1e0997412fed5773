import { ok } from '#kernel/result.ts';
import type { McpCall, MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';
import type { ListKind } from '../entries.ts';
import { cacheHints } from '../hints.ts';

/** tools/list, prompts/list, resources/list, resources/templates/list: one page of the caller's own view. */
export function listMethod(kind: ListKind): (deps: EdgeDeps, call: McpCall) => MethodReply {
  return (deps, call) => {
    const view = deps.views.of(call.snapshot, call.principal, call.choice);
    const page = deps.views.page(view, kind, call.era, call.params.cursor);
    if (!page.ok) return page;
    call.facts.listBytes = page.value.bytes;
    const members = page.value.members + cacheHints(deps, call, view);
    return ok({ members, meta: undefined, resultType: 'complete' });
  };
}
