import type { BackendCatalog } from '#contract/types.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { AssembleRules, BackendRules } from './assemble.ts';
import { templateOf, uriRefusal, uriRule } from './assemble-uris.ts';
import { promptCandidates, toolCandidates } from './candidates.ts';
import { emptySnapshot, nothingQuarantined } from './empty-snapshot.ts';
import { giveNames, type NameOwner, nameKey } from './naming.ts';
import { byCodeUnits } from './order.ts';
import type {
  BackendState,
  CatalogPrompt,
  CatalogResource,
  CatalogTemplate,
  CatalogTool,
  Snapshot,
  Withheld,
} from './snapshot.ts';

/** One server's lists for one principal. */
export interface PersonalSource {
  readonly rules: BackendRules;
  readonly state: BackendState;
  readonly catalog: BackendCatalog;
}

/** What one principal has beside the snapshot, under public names, in the order of lists. */
export type PersonalItems = Pick<
  Snapshot,
  'tools' | 'prompts' | 'resources' | 'templates' | 'withheld' | 'quarantined'
>;

/**
 * Names what servers list to one principal alone, by the rules of the snapshot. Nothing takes a name or URI that the
 * snapshot has, a name that it ever had, or what an earlier server has. Pure: the same input, the same order and names.
 */
export function assemblePersonal(
  snapshot: Snapshot,
  rules: AssembleRules,
  sources: readonly PersonalSource[],
): PersonalItems {
  const withheld: Withheld[] = [];
  const tools = new Map<string, CatalogTool>();
  const prompts = new Map<string, CatalogPrompt>();
  const uris = personalUris(snapshot, rules, withheld);
  for (const source of [...sources].sort((a, b) => byCodeUnits(a.state.id, b.state.id))) {
    const backend = source.state.id;
    const toolList = toolCandidates([source], emptySnapshot);
    const named = giveNames(toolList.candidates, ownerIn('tool', snapshot, tools), rules);
    for (const [publicName, { definition, paramHeaders }] of named.assigned)
      if (definition !== undefined) tools.set(publicName, { publicName, backend, definition, paramHeaders });
    const promptList = promptCandidates([source]);
    const called = giveNames(promptList.candidates, ownerIn('prompt', snapshot, prompts), rules);
    for (const [publicName, { definition }] of called.assigned)
      prompts.set(publicName, { publicName, backend, definition });
    withheld.push(...toolList.withheld, ...promptList.withheld);
    for (const { candidate, reason } of named.refused)
      withheld.push({ backend, kind: 'tool', name: candidate.ownName, reason });
    for (const { candidate, reason } of called.refused)
      withheld.push({ backend, kind: 'prompt', name: candidate.ownName, reason });
    uris.add(source);
  }
  return {
    tools: sorted(tools),
    prompts: sorted(prompts),
    ...uris.all(),
    withheld,
    quarantined: nothingQuarantined,
  };
}

/** Whose a name is, as far as a newcomer of one principal is concerned. */
function ownerIn(
  kind: 'tool' | 'prompt',
  snapshot: Snapshot,
  earlier: ReadonlyMap<string, CatalogTool | CatalogPrompt>,
): (publicName: string) => NameOwner | undefined {
  const list = kind === 'tool' ? 'tools' : 'prompts';
  return (name) => {
    const taken = earlier.get(name) ?? snapshot[list].get(name) ?? snapshot.quarantined[list].get(name);
    // What is listed has its owner once: not even the owner has it a second time.
    if (taken !== undefined) return { backend: taken.backend, ownName: '' };
    return snapshot.names.get(nameKey(kind, name));
  };
}

function personalUris(snapshot: Snapshot, { reservedSchemes }: AssembleRules, withheld: Withheld[]) {
  const resources = new Map<string, CatalogResource>();
  const templates = new Map<string, CatalogTemplate>();
  const { quarantined } = snapshot;
  const sharedTemplates = new Set(
    [...snapshot.templates, ...quarantined.templates].map(({ uriTemplate }) => uriTemplate),
  );
  const owners = new Map<string, BackendId>();
  for (const { id, schemes } of snapshot.backends.values())
    for (const scheme of schemes) owners.set(scheme, id);

  return {
    add({ rules, state: { id }, catalog }: PersonalSource): void {
      // A server that does not share owns in its lists whatever nobody else does.
      const ownerOf = (scheme: string) =>
        owners.get(scheme) ?? (rules.sharesSchemes || reservedSchemes.has(scheme) ? undefined : id);
      const isOwn = uriRule(id, rules, ownerOf, reservedSchemes);
      for (const definition of catalog.resources) {
        const { uri } = definition;
        const isTaken = snapshot.resources.has(uri) || quarantined.resources.has(uri) || resources.has(uri);
        const reason = uriRefusal(uri, definition, isOwn) ?? (isTaken ? 'name_collision' : undefined);
        if (reason === undefined) resources.set(uri, { uri, backend: id, definition });
        else withheld.push({ backend: id, kind: 'resource', name: uri, reason });
      }
      for (const definition of catalog.resourceTemplates) {
        const name = definition.uriTemplate;
        const isTaken = sharedTemplates.has(name) || templates.has(name);
        const template = templateOf(definition, id);
        const reason = uriRefusal(name, definition, isOwn) ?? (isTaken ? 'name_collision' : undefined);
        if (reason === undefined && template !== undefined) templates.set(name, template);
        else withheld.push({ backend: id, kind: 'template', name, reason: reason ?? 'invalid_definition' });
      }
    },
    all: () => ({
      resources: sorted(resources),
      templates: [...sorted(templates).values()],
    }),
  };
}

function sorted<T>(items: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return new Map([...items].sort(([a], [b]) => byCodeUnits(a, b)));
}
