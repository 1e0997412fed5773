import { type NameKind, type NameRecord, type NameTable, nameKey } from './naming.ts';

/** How many names are remembered for one backend, ten times what it can list at once. */
export const MAX_NAMES_PER_BACKEND = 20_000;

/** The table with the changed records in it. */
export function withRecords(table: NameTable, changed: readonly NameRecord[]): NameTable {
  if (changed.length === 0) return table;
  const next = new Map(table);
  for (const record of changed) next.set(nameKey(record.kind, record.publicName), record);
  return next;
}

/**
 * Names beyond a backend's share, oldest first: only those it does not list now. A backend that invents new
 * names at every poll so forgets its own, never another's.
 */
export function surplusNames(
  table: NameTable,
  isListed: (record: NameRecord) => boolean,
  maxPerBackend: number = MAX_NAMES_PER_BACKEND,
): readonly NameRecord[] {
  if (table.size <= maxPerBackend) return [];
  const counts = new Map<string, number>();
  for (const { backend } of table.values()) counts.set(backend, (counts.get(backend) ?? 0) + 1);
  const surplus: NameRecord[] = [];
  for (const record of table.values()) {
    const count = counts.get(record.backend) ?? 0;
    if (count <= maxPerBackend || isListed(record)) continue;
    counts.set(record.backend, count - 1);
    surplus.push(record);
  }
  return surplus;
}

/** The table without the given records. */
export function withoutRecords(table: NameTable, forgotten: readonly NameRecord[]): NameTable {
  if (forgotten.length === 0) return table;
  const next = new Map(table);
  for (const record of forgotten) next.delete(nameKey(record.kind, record.publicName));
  return next;
}

export interface FormerNames {
  /** Former public name -> the current one of the same owner. */
  readonly names: ReadonlyMap<string, string>;
  /** Milliseconds since the epoch at which the first of them expires. */
  readonly nextExpiryAt: number | undefined;
}

/**
 * Names of before a prefix edit that may still be called, each leading to what its owner is called now.
 * An owner that is not listed any more has none.
 */
export function formerNames(
  kind: NameKind,
  table: NameTable,
  currentName: (backend: string, ownName: string) => string | undefined,
  graceMs: number,
  now: number,
): FormerNames {
  const names = new Map<string, string>();
  let nextExpiryAt: number | undefined;
  for (const record of table.values()) {
    if (record.kind !== kind || record.retiredAt === undefined) continue;
    const expiresAt = record.retiredAt + graceMs;
    if (expiresAt <= now) continue;
    const current = currentName(record.backend, record.ownName);
    if (current === undefined) continue;
    names.set(record.publicName, current);
    nextExpiryAt = Math.min(nextExpiryAt ?? expiresAt, expiresAt);
  }
  return { names, nextExpiryAt };
}
