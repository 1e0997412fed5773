import type {
  BackendState,
  CatalogPrompt,
  CatalogResource,
  CatalogTemplate,
  CatalogTool,
  Snapshot,
} from './snapshot.ts';

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
