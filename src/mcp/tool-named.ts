import type { CatalogTool, QuarantinedItem, Snapshot } from '#catalog/snapshot.ts';

/** The tool of a public name, or of a name that an edit of prefix or alias left behind, for its grace period. */
export function toolNamed({ tools, formerNames }: Snapshot, name: string): CatalogTool | undefined {
  return tools.get(name) ?? tools.get(formerNames.get(name) ?? '');
}

/** The same, of what is quarantined. */
export function quarantinedTool(
  { quarantined, formerNames }: Snapshot,
  name: string,
): QuarantinedItem | undefined {
  return quarantined.tools.get(name) ?? quarantined.tools.get(formerNames.get(name) ?? '');
}
