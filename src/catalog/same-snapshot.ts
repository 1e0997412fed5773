import type { BackendState, Snapshot } from './snapshot.ts';

/**
 * Whether two snapshots show the same. Items are compared by identity, as `assemble` takes unchanged ones over;
 * of a backend only status and schemes count, since times and error texts are shown to no caller.
 */
export function isSameSnapshot(a: Snapshot, b: Snapshot): boolean {
  return (
    isSameMap(a.tools, b.tools) &&
    isSameMap(a.prompts, b.prompts) &&
    isSameMap(a.resources, b.resources) &&
    isSameMap(a.formerNames, b.formerNames) &&
    a.templates.length === b.templates.length &&
    a.templates.every((template, index) => template === b.templates[index]) &&
    isSameMap(a.backends, b.backends, isSameState) &&
    Bun.deepEquals(a.withheld, b.withheld)
  );
}

function isSameMap<K, V>(
  a: ReadonlyMap<K, V>,
  b: ReadonlyMap<K, V>,
  isSame: (x: V, y: V) => boolean = (x, y) => x === y,
): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !isSame(value, other)) return false;
  }
  return true;
}

function isSameState(a: BackendState, b: BackendState): boolean {
  return a.status === b.status && a.helpName === b.helpName && Bun.deepEquals(a.schemes, b.schemes);
}
