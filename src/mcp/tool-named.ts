import type { CatalogTool, Snapshot } from '#catalog/snapshot.ts';

/** The tool of a public name, or of a name that an edit of prefix or alias left behind, for its grace period. */
export function toolNamed({ tools, formerNames }: Snapshot, name: string): CatalogTool | undefined {
  return tools.get(name) ?? tools.get(formerNames.get(name) ?? '');
}
