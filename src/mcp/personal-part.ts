import type { PersonalCatalog } from '#backends/backend.ts';
import type { AssembleRules } from '#catalog/assemble.ts';
import { assemblePersonal, type PersonalItems, type PersonalSource } from '#catalog/assemble-personal.ts';
import type { BackendState, CatalogTool, Snapshot } from '#catalog/snapshot.ts';
import type { BackendId } from '#kernel/ids.ts';
import { linkTool } from './builtins/link-tool.ts';
import type { PersonalServer } from './personal-servers.ts';

/** What one principal has beside the snapshot, before its scopes show some of it. Made for it alone. */
export interface PersonalPart extends PersonalItems {
  readonly backends: ReadonlyMap<BackendId, BackendState>;
  /** Servers where no account is linked -> the tool that links one. */
  readonly links: ReadonlyMap<BackendId, string>;
  /** The same servers. */
  readonly unlinked: readonly PersonalServer[];
  /** Servers that have not said in time what they list. */
  readonly late: ReadonlySet<BackendId>;
  /** No two parts have the same. */
  readonly revision: number;
}

/** Pure: what the servers' lists come to, in this snapshot. */
export function assemblePart(
  snapshot: Snapshot,
  rules: AssembleRules,
  servers: readonly PersonalServer[],
  catalogs: readonly (PersonalCatalog | undefined)[],
  revision: number,
  guard: (items: PersonalItems) => PersonalItems,
): PersonalPart {
  const sources: PersonalSource[] = [];
  const backends = new Map<BackendId, BackendState>();
  const linkTools: CatalogTool[] = [];
  const late = new Set<BackendId>();
  for (const [index, { backend, rules: own, linkScopes }] of servers.entries()) {
    const { id } = backend;
    const catalog = catalogs[index];
    if (catalog === undefined) late.add(id);
    if (catalog === undefined || catalog.kind === 'shared') continue;
    const state = stateOf(id, catalog);
    backends.set(id, state);
    if (catalog.kind === 'listed') sources.push({ rules: own, state, catalog: catalog.catalog });
    else if (linkScopes !== undefined) linkTools.push(linkTool(id, linkScopes));
  }
  const items = guard(assemblePersonal(snapshot, rules, sources));
  const free = linkTools.filter(({ publicName }) => !isNameIn(snapshot, items, publicName));
  const links = new Map(free.map(({ backend, publicName }) => [backend, publicName]));
  const tools = [...items.tools.values(), ...free];
  return {
    ...items,
    tools: new Map(
      tools
        .map((tool): [string, CatalogTool] => [tool.publicName, tool])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    backends: new Map([...backends].sort(([a], [b]) => (a < b ? -1 : 1))),
    links,
    unlinked: servers.filter(({ backend }) => links.has(backend.id)),
    late,
    revision,
  };
}

function stateOf(id: BackendId, catalog: PersonalCatalog): BackendState {
  const isStale = catalog.kind === 'listed' && catalog.isStale;
  return {
    id,
    status: isStale ? 'stale' : 'fresh',
    lastGoodAt: undefined,
    lastError: undefined,
    helpName: undefined,
    schemes: [],
  };
}

function isNameIn(snapshot: Snapshot, { tools }: PersonalItems, name: string): boolean {
  const isShared = snapshot.tools.has(name) || snapshot.quarantined.tools.has(name);
  return isShared || snapshot.formerNames.has(name) || tools.has(name);
}
