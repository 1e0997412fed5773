import type { BackendCatalog } from '#contract/types.ts';

/**
 * `after` with every definition that equals one of `before` replaced by that very object; `before` itself when
 * nothing changed but the order. So an unchanged answer is recognised by identity from here on.
 */
export function keepEqual(before: BackendCatalog | undefined, after: BackendCatalog): BackendCatalog {
  if (before === undefined) return after;
  const tools = keepList(before.tools, after.tools, (tool) => tool.name);
  const prompts = keepList(before.prompts, after.prompts, (prompt) => prompt.name);
  const resources = keepList(before.resources, after.resources, (resource) => resource.uri);
  const resourceTemplates = keepList(
    before.resourceTemplates,
    after.resourceTemplates,
    (template) => template.uriTemplate,
  );
  const isSame =
    tools === before.tools &&
    prompts === before.prompts &&
    resources === before.resources &&
    resourceTemplates === before.resourceTemplates;
  return isSame ? before : { tools, prompts, resources, resourceTemplates };
}

function keepList<T extends object>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
): readonly T[] {
  const known = new Map(before.map((item) => [keyOf(item), item]));
  let kept = 0;
  const next = after.map((item) => {
    const old = known.get(keyOf(item));
    if (old === undefined || !Bun.deepEquals(old, item, false)) return item;
    kept++;
    return old;
  });
  return kept === before.length && kept === after.length ? before : next;
}
