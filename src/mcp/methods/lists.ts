import { ok } from '#kernel/result.ts';
import type { McpCall, MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';
import { type ListKind, ownEntries } from '../entries.ts';
import { cacheHints } from '../hints.ts';
import { type Sight, sightOf } from '../sight.ts';

/** tools/list, prompts/list, resources/list, resources/templates/list: one page of what the caller itself sees. */
export function listMethod(
  kind: ListKind,
): (deps: EdgeDeps, call: McpCall) => MethodReply | Promise<MethodReply> {
  return (deps, call) => {
    const sight = sightOf(deps, call);
    return sight instanceof Promise
      ? sight.then((seen) => pageOf(deps, call, kind, seen))
      : pageOf(deps, call, kind, sight);
  };
}

function pageOf(deps: EdgeDeps, call: McpCall, kind: ListKind, { shared, own }: Sight): MethodReply {
  const { era, params, facts } = call;
  const page = deps.views.page(shared, kind, era, params.cursor, ownEntries(own, kind, era));
  if (!page.ok) return page;
  facts.listBytes = page.value.bytes;
  const isDegraded = shared.isDegraded || (own?.isDegraded ?? false);
  const members = page.value.members + cacheHints(deps, call, { isDegraded });
  return ok({ members, meta: undefined, resultType: 'complete' });
}
