import type { BackendCatalog } from '#contract/types.ts';
import type { BackendId } from '#kernel/ids.ts';
import { assembleUris } from './assemble-uris.ts';
import { promptCandidates, type ToolCandidate, toolCandidates } from './candidates.ts';
import { nothingQuarantined } from './empty-snapshot.ts';
import { formerNames, surplusNames, withoutRecords, withRecords } from './name-table.ts';
import {
  assignNames,
  type NameAssignment,
  type NameCandidate,
  type NameRecord,
  type NameTable,
  ownerKey,
} from './naming.ts';
import { byCodeUnits } from './order.ts';
import type { NamingRules } from './public-name.ts';
import type { BackendState, CatalogTool, Snapshot, Withheld } from './snapshot.ts';

/** What the operator says about one backend's catalog. */
export interface BackendRules {
  /** Before each public name, with a `_`; may be empty. */
  readonly prefix: string;
  /** Globs over the backend's own tool names. Empty `include`: everything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Whether it knows the contract's `get_help` method, which is then offered as a tool. */
  readonly hasHelp: boolean;
  /**
   * A server whose URIs all carry its own id after the scheme: it owns no scheme, and may use every one that no other
   * backend has.
   */
  readonly sharesSchemes: boolean;
}

export interface AssembleRules extends NamingRules {
  readonly formerNameGraceMs: number;
  /** URI schemes that are the gateway's own. */
  readonly reservedSchemes: ReadonlySet<string>;
}

export interface AssembleSource {
  readonly rules: BackendRules;
  /** `schemes` are the ones it had before; it keeps those that it still offers. */
  readonly state: BackendState;
  /** The last good catalog. Undefined: none was ever seen. */
  readonly catalog: BackendCatalog | undefined;
}

export interface AssembleInput {
  readonly sources: readonly AssembleSource[];
  readonly names: NameTable;
  readonly rules: AssembleRules;
  readonly now: number;
  /** Unchanged tools, prompts, resources and templates are taken over from here as the same objects. */
  readonly before: Snapshot;
}

export interface Assembled {
  readonly snapshot: Snapshot;
  readonly names: NameTable;
  readonly changedNames: readonly NameRecord[];
  readonly forgottenNames: readonly NameRecord[];
  /** When a former name expires, so that the snapshot must be assembled again. */
  readonly nextExpiryAt: number | undefined;
}

/** Makes the next snapshot of what each backend last said. Pure: the same input gives the same order and names. */
export function assemble(input: AssembleInput): Assembled {
  const { rules, before, now } = input;
  const known = [...input.sources].sort((a, b) => byCodeUnits(a.state.id, b.state.id));
  const sources = known.filter(({ state }) => state.status !== 'gone');

  const toolList = toolCandidates(sources, before);
  const tools = assignNames('tool', toolList.candidates, input.names, rules, now);
  const promptList = promptCandidates(sources);
  const prompts = assignNames('prompt', promptList.candidates, input.names, rules, now);
  const uris = assembleUris(known, rules.reservedSchemes, before);

  const names = withRecords(input.names, [...tools.changed, ...prompts.changed]);
  const forgottenNames = surplusNames(names, isListedIn(tools, prompts));
  const keptNames = withoutRecords(names, forgottenNames);
  const former = formerNames('tool', names, currentNameIn(tools), rules.formerNameGraceMs, now);

  const helpNames = helpNamesOf(tools);

  return {
    snapshot: {
      generation: before.generation + 1,
      tools: listedTools(tools, before),
      prompts: mapValues(prompts.assigned, ({ id, definition }, publicName) => {
        const old = before.prompts.get(publicName);
        return old?.definition === definition && old.backend === id
          ? old
          : { publicName, backend: id, definition };
      }),
      resources: uris.resources,
      templates: uris.templates,
      backends: new Map(
        known.map(({ state }) => [
          state.id,
          { ...state, helpName: helpNames.get(state.id), schemes: uris.schemes.get(state.id) ?? [] },
        ]),
      ),
      formerNames: former.names,
      names: keptNames,
      withheld: [
        ...toolList.withheld,
        ...refusals('tool', tools),
        ...promptList.withheld,
        ...refusals('prompt', prompts),
        ...uris.withheld,
      ],
      quarantined: nothingQuarantined,
    },
    names: keptNames,
    changedNames: [...tools.changed, ...prompts.changed],
    forgottenNames,
    nextExpiryAt: former.nextExpiryAt,
  };
}

function listedTools(
  { assigned }: NameAssignment<ToolCandidate>,
  before: Snapshot,
): ReadonlyMap<string, CatalogTool> {
  const tools = new Map<string, CatalogTool>();
  for (const [publicName, { id, definition, paramHeaders }] of assigned) {
    if (definition === undefined) continue;
    const old = before.tools.get(publicName);
    const isOld = old?.definition === definition && old.backend === id;
    tools.set(publicName, isOld ? old : { publicName, backend: id, definition, paramHeaders });
  }
  return tools;
}

function helpNamesOf({ assigned }: NameAssignment<ToolCandidate>): ReadonlyMap<BackendId, string> {
  const names = new Map<BackendId, string>();
  for (const [publicName, { id, definition }] of assigned)
    if (definition === undefined) names.set(id, publicName);
  return names;
}

function refusals(kind: 'tool' | 'prompt', { refused }: NameAssignment<NameCandidate>): readonly Withheld[] {
  return refused.map(({ candidate, reason }) => ({
    backend: candidate.id,
    kind,
    name: candidate.ownName,
    reason,
  }));
}

function isListedIn(
  tools: NameAssignment<NameCandidate>,
  prompts: NameAssignment<NameCandidate>,
): (record: NameRecord) => boolean {
  return ({ kind, publicName }) => (kind === 'tool' ? tools : prompts).assigned.has(publicName);
}

function currentNameIn(
  tools: NameAssignment<NameCandidate>,
): (backend: string, ownName: string) => string | undefined {
  let byOwner: Map<string, string> | undefined;
  return (backend, ownName) => {
    byOwner ??= new Map(
      [...tools.assigned].map(([name, owner]) => [ownerKey(owner.id, owner.ownName), name]),
    );
    return byOwner.get(ownerKey(backend, ownName));
  };
}

function mapValues<A, B>(map: ReadonlyMap<string, A>, change: (value: A, key: string) => B): Map<string, B> {
  const changed = new Map<string, B>();
  for (const [key, value] of map) changed.set(key, change(value, key));
  return changed;
}
