import type { PersonalCatalog } from '#backends/backend.ts';
import type { AssembleRules } from '#catalog/assemble.ts';
import type { PersonalItems } from '#catalog/assemble-personal.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import type { Log } from '#kernel/log.ts';
import { holdsAll, type Principal } from '#kernel/principal.ts';
import type { Schedule } from '#kernel/schedule.ts';
import { linkToolName } from './builtins/link-tool.ts';
import { assemblePart, type PersonalPart } from './personal-part.ts';
import type { PersonalServer } from './personal-servers.ts';

/**
 * The lists that are one principal's alone (R44). They are merged into an answer after the views' cache, and never
 * come near it.
 */
export interface Personal {
  /** Whether any server might show this principal something of its own: without one, nothing here costs anything. */
  concerns(principal: Principal): boolean;
  /** What is known at once. */
  known(snapshot: Snapshot, principal: Principal): PersonalPart;
  /** What is known once every server was asked that has not said anything yet, all at a time and with a deadline. */
  of(snapshot: Snapshot, principal: Principal): PersonalPart | Promise<PersonalPart>;
  /** Whether a tool that is not known may yet be one of this principal's, or is the linking of an account. */
  mayHave(toolName: string, principal: Principal): boolean;
  /** The server whose `<server>_link` this is, for those whose scopes open it. */
  linkedBy(toolName: string, principal: Principal): PersonalServer | undefined;
  close(): void;
}

export interface PersonalDeps {
  readonly servers: () => readonly PersonalServer[];
  readonly rules: () => AssembleRules;
  /** Takes out of one person's lists what is quarantined. */
  readonly guard: (principalKey: string, items: PersonalItems) => PersonalItems;
  readonly schedule: Schedule;
  readonly log: Log;
  readonly deadlineMs: number;
  /** Most tools, prompts, resources and templates that are kept in all. */
  readonly maxItems: number;
  /** Something was answered without a server which has told its lists by now. */
  readonly onLate: (principalKey: string) => void;
}

interface Kept {
  readonly generation: number;
  readonly rules: AssembleRules;
  readonly servers: readonly PersonalServer[];
  readonly catalogs: readonly (PersonalCatalog | undefined)[];
  readonly part: PersonalPart;
}

/** What a part costs beside its items. */
const PART_COST = 10;

export function createPersonal(deps: PersonalDeps): Personal {
  const closing = new AbortController();
  /** By principal, the oldest first. */
  const kept = new Map<string, Kept>();
  let keptItems = 0;
  let revision = 0;
  /** Principals for whom a server is being waited for in vain: they are not made to wait again. */
  const late = new Set<string>();

  /** Accounts are people's: no machine has one, and nobody could link one in its name. */
  const offeredTo = ({ kind }: Principal) =>
    kind === 'client' ? deps.servers().filter(({ linkScopes }) => linkScopes === undefined) : deps.servers();
  const openTo = (principal: Principal) =>
    offeredTo(principal).filter(({ scopeSets }) =>
      scopeSets.some((needed) => holdsAll(principal.scopes, needed)),
    );

  const unknownTo = (principal: Principal) =>
    openTo(principal).filter(({ backend }) => backend.personal.current(principal) === undefined);
  const linkedBy = (toolName: string, principal: Principal) =>
    offeredTo(principal).find(
      ({ backend, linkScopes }) =>
        linkToolName(backend.id) === toolName &&
        linkScopes !== undefined &&
        holdsAll(principal.scopes, linkScopes),
    );

  function drop(key: string): void {
    const old = kept.get(key);
    if (old === undefined) return;
    kept.delete(key);
    keptItems -= costOf(old.part);
  }

  function keep(key: string, made: Kept): void {
    drop(key);
    kept.set(key, made);
    keptItems += costOf(made.part);
    for (const oldest of kept.keys()) {
      if (keptItems <= deps.maxItems || kept.size === 1) return;
      drop(oldest);
    }
  }

  function partOf(snapshot: Snapshot, principal: Principal): PersonalPart {
    const servers = openTo(principal);
    const catalogs = servers.map(({ backend }) => backend.personal.current(principal));
    const rules = deps.rules();
    const before = kept.get(principal.key);
    const isSame =
      before?.generation === snapshot.generation &&
      before.rules === rules &&
      isEqual(before.servers, servers) &&
      isEqual(before.catalogs, catalogs);
    if (isSame) return before.part;
    revision += 1;
    const part = assemblePart(snapshot, rules, servers, catalogs, revision, (items) =>
      deps.guard(principal.key, items),
    );
    keep(principal.key, { generation: snapshot.generation, rules, servers, catalogs, part });
    return part;
  }

  async function ask(servers: readonly PersonalServer[], principal: Principal): Promise<void> {
    const asked = Promise.all(
      servers.map(async ({ backend }) => {
        try {
          await backend.personal.refresh(principal, closing.signal);
        } catch (cause) {
          deps.log.error('personal.refresh_threw', { backend: backend.id, message: String(cause) });
        }
      }),
    );
    const { promise: overdue, resolve } = Promise.withResolvers<'overdue'>();
    const cancel = deps.schedule(deps.deadlineMs, () => resolve('overdue'));
    const outcome = await Promise.race([asked, overdue]);
    cancel();
    if (outcome !== 'overdue') return;
    late.add(principal.key);
    void asked.then(() => {
      late.delete(principal.key);
      if (!closing.signal.aborted) deps.onLate(principal.key);
    });
  }

  return {
    concerns: (principal) => deps.servers().length > 0 && openTo(principal).length > 0,
    known: partOf,
    of(snapshot, principal) {
      const unknown = unknownTo(principal);
      if (unknown.length === 0 || late.has(principal.key)) return partOf(snapshot, principal);
      return ask(unknown, principal).then(() => partOf(snapshot, principal));
    },
    mayHave: (toolName, principal) =>
      linkedBy(toolName, principal) !== undefined || unknownTo(principal).length > 0,
    linkedBy,
    close() {
      closing.abort();
      kept.clear();
      keptItems = 0;
    },
  };
}

function costOf({ tools, prompts, resources, templates }: PersonalPart): number {
  return PART_COST + tools.size + prompts.size + resources.size + templates.length;
}

function isEqual<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
