import type { BackendId } from '#kernel/ids.ts';
import { byCodeUnits } from './order.ts';
import { legalise, type NameRefusal, type NamingRules, proposePublicName } from './public-name.ts';

export type NameKind = 'tool' | 'prompt';

/** A public name and whose it is. Kept for ever, so that a name never comes to mean something else. */
export interface NameRecord {
  readonly kind: NameKind;
  readonly publicName: string;
  readonly backend: string;
  readonly ownName: string;
  /** Milliseconds since the epoch at which it was given. */
  readonly since: number;
  /** Milliseconds since the epoch at which its owner got another name; undefined while it is the current one. */
  readonly retiredAt: number | undefined;
}

/** Every remembered name, by `nameKey`, oldest first. */
export type NameTable = ReadonlyMap<string, NameRecord>;

/** Where a name stands in the table: tools and prompts do not share names. */
export function nameKey(kind: NameKind, publicName: string): string {
  return `${kind}:${publicName}`;
}

/** A tool or prompt that wants a public name. */
export interface NameCandidate {
  readonly id: BackendId;
  readonly prefix: string;
  readonly ownName: string;
}

export interface NameAssignment<C extends NameCandidate> {
  /** Public name -> who has it, in code-unit order. */
  readonly assigned: ReadonlyMap<string, C>;
  readonly refused: readonly { readonly candidate: C; readonly reason: NameRefusal | 'name_collision' }[];
  /** Records that are new or changed; empty when everything stayed as it was. */
  readonly changed: readonly NameRecord[];
}

/** What each candidate is called, before anything is remembered of it. */
export interface Naming<C extends NameCandidate, O extends NameOwner> {
  /** In no order. */
  readonly assigned: ReadonlyMap<string, C>;
  readonly refused: NameAssignment<C>['refused'];
  /** Among the assigned: who had the name before, with the record of it. */
  readonly known: readonly { readonly candidate: C; readonly record: O }[];
  /** Among the assigned: whose name nobody had. */
  readonly fresh: readonly { readonly name: string; readonly candidate: C }[];
}

export type NameOwner = Pick<NameRecord, 'backend' | 'ownName'>;

/**
 * Gives each candidate its public name. Who has a name keeps it, listed or not; a newcomer that wants it is
 * refused. Among newcomers an unmapped own name comes first, then the code-unit order of backend and own name.
 */
export function giveNames<C extends NameCandidate, O extends NameOwner>(
  candidates: readonly C[],
  ownerOf: (publicName: string) => O | undefined,
  rules: NamingRules,
): Naming<C, O> {
  const assigned = new Map<string, C>();
  const refused: { candidate: C; reason: NameRefusal | 'name_collision' }[] = [];
  const newcomers: { name: string; candidate: C }[] = [];
  const known: { candidate: C; record: O }[] = [];
  const fresh: { name: string; candidate: C }[] = [];

  for (const candidate of candidates) {
    const proposed = proposePublicName(candidate.prefix, candidate.ownName, rules);
    if (!proposed.ok) {
      refused.push({ candidate, reason: proposed.error });
      continue;
    }
    const name = proposed.value;
    const record = ownerOf(name);
    if (record === undefined) {
      newcomers.push({ name, candidate });
      continue;
    }
    const isOwner = record.backend === candidate.id && record.ownName === candidate.ownName;
    if (!isOwner || assigned.has(name)) {
      refused.push({ candidate, reason: 'name_collision' });
      continue;
    }
    assigned.set(name, candidate);
    known.push({ candidate, record });
  }

  for (const newcomer of newcomers.sort(bySeniority)) {
    if (assigned.has(newcomer.name)) {
      refused.push({ candidate: newcomer.candidate, reason: 'name_collision' });
      continue;
    }
    assigned.set(newcomer.name, newcomer.candidate);
    fresh.push(newcomer);
  }
  return { assigned, refused, known, fresh };
}

/** The names of everything that is listed to all, with what has to be remembered of them. */
export function assignNames<C extends NameCandidate>(
  kind: NameKind,
  candidates: readonly C[],
  table: NameTable,
  rules: NamingRules,
  now: number,
): NameAssignment<C> {
  const { assigned, refused, known, fresh } = giveNames(
    candidates,
    (name) => table.get(nameKey(kind, name)),
    rules,
  );
  const changed: NameRecord[] = [];
  const moved = new Map<string, string>();
  for (const { candidate, record } of known) {
    if (record.retiredAt === undefined) continue;
    changed.push({ ...record, retiredAt: undefined });
    moved.set(ownerKey(candidate.id, candidate.ownName), record.publicName);
  }
  for (const { name, candidate } of fresh) {
    const { id, ownName } = candidate;
    moved.set(ownerKey(id, ownName), name);
    changed.push({ kind, publicName: name, backend: id, ownName, since: now, retiredAt: undefined });
  }
  if (moved.size > 0) changed.push(...retire(kind, table, moved, now));
  return {
    assigned: new Map([...assigned].sort(([a], [b]) => byCodeUnits(a, b))),
    refused,
    changed,
  };
}

/** The current names of owners that now have another one. */
function retire(
  kind: NameKind,
  table: NameTable,
  moved: ReadonlyMap<string, string>,
  now: number,
): NameRecord[] {
  const retired: NameRecord[] = [];
  for (const record of table.values()) {
    if (record.kind !== kind || record.retiredAt !== undefined) continue;
    const current = moved.get(ownerKey(record.backend, record.ownName));
    if (current !== undefined && current !== record.publicName) retired.push({ ...record, retiredAt: now });
  }
  return retired;
}

function bySeniority(
  a: { readonly candidate: NameCandidate },
  b: { readonly candidate: NameCandidate },
): number {
  return (
    Number(isMapped(a.candidate)) - Number(isMapped(b.candidate)) ||
    byCodeUnits(a.candidate.id, b.candidate.id) ||
    byCodeUnits(a.candidate.ownName, b.candidate.ownName)
  );
}

function isMapped(candidate: NameCandidate): boolean {
  return legalise(candidate.ownName) !== candidate.ownName;
}

/** The key of what a name stands for. */
export function ownerKey(backend: string, ownName: string): string {
  return `${backend} ${ownName}`;
}
