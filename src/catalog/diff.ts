import { type FieldChange, jsonDiff } from './json-diff.ts';
import type {
  BackendState,
  CatalogPrompt,
  CatalogResource,
  CatalogTemplate,
  CatalogTool,
  Snapshot,
} from './snapshot.ts';
import { isVisible, type ListedItem } from './visibility.ts';

/** An item that is new (no `before`), gone (no `after`) or different. */
export interface ItemChange<T> {
  readonly key: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

export interface SnapshotDiff {
  readonly tools: readonly ItemChange<CatalogTool>[];
  readonly prompts: readonly ItemChange<CatalogPrompt>[];
  readonly resources: readonly ItemChange<CatalogResource>[];
  readonly templates: readonly ItemChange<CatalogTemplate>[];
  /** Backends that came, went, or changed their status. */
  readonly backends: readonly ItemChange<BackendState>[];
}

/** What a client is told of with `list_changed`: templates count as resources. */
export type ChangedList = 'tools' | 'prompts' | 'resources';

/** What changed from one snapshot to the next. Unchanged items are the same objects, so this costs no comparison. */
export function diffSnapshots(before: Snapshot, after: Snapshot): SnapshotDiff {
  return {
    tools: diffMaps(before.tools, after.tools),
    prompts: diffMaps(before.prompts, after.prompts),
    resources: diffMaps(before.resources, after.resources),
    templates: diffMaps(byTemplate(before), byTemplate(after)),
    backends: diffMaps(before.backends, after.backends).filter(
      (change) => change.before?.status !== change.after?.status,
    ),
  };
}

/**
 * The lists that changed for one set of scopes: an item came into or left its view, or looks different there.
 * A new requirement alone changes nothing for those who meet the old and the new one (R24).
 */
export function changedLists(
  diff: SnapshotDiff,
  scopes: ReadonlySet<string>,
  backends: readonly string[] | undefined,
): ReadonlySet<ChangedList> {
  const concerns = (changes: readonly ItemChange<ListedItem & { readonly definition: Shown }>[]) =>
    changes.some(({ before, after }) => {
      const sawIt = before !== undefined && isVisible(before, scopes, backends);
      const seesIt = after !== undefined && isVisible(after, scopes, backends);
      if (sawIt !== seesIt) return true;
      return seesIt && !Bun.deepEquals(before?.definition.wire, after.definition.wire);
    });
  const lists = new Set<ChangedList>();
  if (concerns(diff.tools)) lists.add('tools');
  if (concerns(diff.prompts)) lists.add('prompts');
  if (concerns(diff.resources) || concerns(diff.templates)) lists.add('resources');
  return lists;
}

/** Field by field, how an item's definition changed. */
export function changedFields({
  before,
  after,
}: ItemChange<{ readonly definition: object }>): readonly FieldChange[] {
  return jsonDiff(before?.definition, after?.definition);
}

interface Shown {
  readonly scopes: readonly string[];
  readonly wire: object;
}

function byTemplate({ templates }: Snapshot): ReadonlyMap<string, CatalogTemplate> {
  return new Map(templates.map((template) => [template.uriTemplate, template]));
}

function diffMaps<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): ItemChange<T>[] {
  const changes: ItemChange<T>[] = [];
  for (const [key, old] of before) {
    const now = after.get(key);
    if (now !== old) changes.push({ key, before: old, after: now });
  }
  for (const [key, now] of after) if (!before.has(key)) changes.push({ key, before: undefined, after: now });
  return changes;
}
