import type { CatalogTool } from '#catalog/snapshot.ts';

/** The bytes that a tool takes in a list; what does not change from one snapshot to the next is measured once. */
export type WireSizes = (tool: CatalogTool) => number;

export function wireSize({ publicName, definition }: CatalogTool): number {
  return Buffer.byteLength(JSON.stringify({ name: publicName, ...definition.wire }));
}

export function createWireSizes(): WireSizes {
  const known = new WeakMap<CatalogTool, number>();
  return (tool) => {
    const size = known.get(tool) ?? wireSize(tool);
    known.set(tool, size);
    return size;
  };
}
