import type { BackendCatalog, PromptDefinition, ToolDefinition } from '#contract/types.ts';
import { isIncluded } from '#kernel/glob.ts';
import { type ParamHeader, paramHeaders } from '#wire/param-headers.ts';
import type { AssembleSource, BackendRules } from './assemble.ts';
import type { NameCandidate } from './naming.ts';
import { byCodeUnits } from './order.ts';
import type { CatalogTool, Snapshot, Withheld } from './snapshot.ts';

/** The contract's own method that is offered as a tool of every backend that has it. */
const HELP = 'get_help';

export interface ToolCandidate extends NameCandidate {
  /** Undefined: the backend's `get_help` method. */
  readonly definition: ToolDefinition | undefined;
  readonly paramHeaders: readonly ParamHeader[];
}
export interface PromptCandidate extends NameCandidate {
  readonly definition: PromptDefinition;
}
export interface Candidates<C> {
  readonly candidates: readonly C[];
  readonly withheld: readonly Withheld[];
}

/** The tools that may be listed once they have a name. What is withheld here claims no name. */
export function toolCandidates(
  sources: readonly AssembleSource[],
  before: Snapshot,
): Candidates<ToolCandidate> {
  const known = new Map<ToolDefinition, CatalogTool>();
  for (const tool of before.tools.values()) known.set(tool.definition, tool);
  const candidates: ToolCandidate[] = [];
  const withheld: Withheld[] = [];
  for (const { rules, state, catalog } of sources) {
    const { id } = state;
    const { prefix, include, exclude } = rules;
    if (catalog !== undefined && offersHelp(rules, catalog))
      candidates.push({ id, prefix, ownName: HELP, definition: undefined, paramHeaders: [] });
    for (const definition of [...(catalog?.tools ?? [])].sort(byName)) {
      const withhold = (reason: Withheld['reason']) =>
        withheld.push({ backend: id, kind: 'tool', name: definition.name, reason });
      if (!isIncluded(definition.name, include, exclude)) {
        withhold('excluded');
        continue;
      }
      if (definition.scopes.length === 0) {
        withhold('no_scope');
        continue;
      }
      const headers = known.get(definition)?.paramHeaders ?? legalHeaders(definition);
      if (headers === undefined) {
        withhold('illegal_param_header');
        continue;
      }
      candidates.push({ id, prefix, ownName: definition.name, definition, paramHeaders: headers });
    }
  }
  return { candidates, withheld };
}

/** The prompts that may be listed once they have a name. */
export function promptCandidates(sources: readonly AssembleSource[]): Candidates<PromptCandidate> {
  const candidates: PromptCandidate[] = [];
  const withheld: Withheld[] = [];
  for (const { rules, state, catalog } of sources) {
    for (const definition of [...(catalog?.prompts ?? [])].sort(byName)) {
      if (definition.scopes.length === 0) {
        withheld.push({ backend: state.id, kind: 'prompt', name: definition.name, reason: 'no_scope' });
        continue;
      }
      candidates.push({ id: state.id, prefix: rules.prefix, ownName: definition.name, definition });
    }
  }
  return { candidates, withheld };
}

function offersHelp({ hasHelp, exclude }: BackendRules, { tools }: BackendCatalog): boolean {
  return hasHelp && isIncluded(HELP, [], exclude) && !tools.some(({ name }) => name === HELP);
}

function legalHeaders(definition: ToolDefinition): readonly ParamHeader[] | undefined {
  const headers = paramHeaders(definition.inputSchema);
  return headers.ok ? headers.value : undefined;
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return byCodeUnits(a.name, b.name);
}
