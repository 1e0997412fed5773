import { nothingQuarantined } from '#catalog/empty-snapshot.ts';
import type { CatalogTemplate, QuarantinedItem, Snapshot } from '#catalog/snapshot.ts';
import type { Definition } from './definition-fields.ts';
import type { ItemId } from './pin.ts';

/** Lists that can be guarded: everybody's or one person's. */
export type Guarded = Pick<Snapshot, 'tools' | 'prompts' | 'resources' | 'templates' | 'quarantined'>;

/** One definition in a list. */
export interface Listed {
  readonly id: ItemId & Pick<QuarantinedItem, 'backend'>;
  /** The name or URI it has in the list. */
  readonly shownAs: string;
  readonly definition: Definition;
}

export function* listedIn({ tools, prompts, resources, templates }: Guarded): Generator<Listed> {
  for (const { backend, publicName, definition } of tools.values())
    yield { id: { backend, kind: 'tool', name: definition.name }, shownAs: publicName, definition };
  for (const { backend, publicName, definition } of prompts.values())
    yield { id: { backend, kind: 'prompt', name: definition.name }, shownAs: publicName, definition };
  for (const { backend, uri, definition } of resources.values())
    yield { id: { backend, kind: 'resource', name: uri }, shownAs: uri, definition };
  for (const { backend, uriTemplate, definition } of templates)
    yield { id: { backend, kind: 'template', name: uriTemplate }, shownAs: uriTemplate, definition };
}

/** The lists without these items, which are named in `quarantined` instead. The same object where there is none. */
export function takeOut<T extends Guarded>(
  lists: T,
  taken: readonly (readonly [Listed, QuarantinedItem])[],
): T {
  if (taken.length === 0) return lists;
  const of = (kind: ItemId['kind']) =>
    new Map(taken.filter(([{ id }]) => id.kind === kind).map(([{ shownAs }, item]) => [shownAs, item]));
  const [tools, prompts, resources, templates] = [of('tool'), of('prompt'), of('resource'), of('template')];
  const withheld = (template: CatalogTemplate) => {
    const item = templates.get(template.uriTemplate);
    const { uriTemplate, matches } = template;
    return item === undefined ? [] : [{ ...item, uriTemplate, matches }];
  };
  return {
    ...lists,
    tools: without(lists.tools, tools),
    prompts: without(lists.prompts, prompts),
    resources: without(lists.resources, resources),
    templates: lists.templates.filter(({ uriTemplate }) => !templates.has(uriTemplate)),
    quarantined: {
      ...nothingQuarantined,
      tools,
      prompts,
      resources,
      templates: lists.templates.flatMap(withheld),
    },
  };
}

function without<T>(
  map: ReadonlyMap<string, T>,
  taken: ReadonlyMap<string, QuarantinedItem>,
): ReadonlyMap<string, T> {
  return taken.size === 0 ? map : new Map([...map].filter(([name]) => !taken.has(name)));
}
