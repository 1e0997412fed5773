import type {
  PromptDefinition,
  ResourceDefinition,
  ResourceTemplateDefinition,
  ToolDefinition,
} from '#contract/types.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { ParamHeader } from '#wire/param-headers.ts';
import type { NameTable } from './naming.ts';

export interface CatalogTool {
  readonly publicName: string;
  readonly backend: BackendId;
  readonly definition: ToolDefinition;
  readonly paramHeaders: readonly ParamHeader[];
}
export interface CatalogPrompt {
  readonly publicName: string;
  readonly backend: BackendId;
  readonly definition: PromptDefinition;
}
export interface CatalogResource {
  readonly uri: string;
  readonly backend: BackendId;
  readonly definition: ResourceDefinition;
}
export interface CatalogTemplate {
  readonly uriTemplate: string;
  readonly backend: BackendId;
  readonly definition: ResourceTemplateDefinition;
  /** Whether a concrete URI is one of this template's. */
  readonly matches: (uri: string) => boolean;
}

export interface BackendState {
  readonly id: BackendId;
  /** `fresh`: the last poll succeeded. `stale`: the last good tools are shown for a grace period. `gone`: nothing is shown. */
  readonly status: 'fresh' | 'stale' | 'gone';
  /** Milliseconds since the epoch of the last good poll; undefined before the first. */
  readonly lastGoodAt: number | undefined;
  readonly lastError: string | undefined;
  /** Public name under which the backend's `get_help` method is offered; undefined where it lists such a tool itself, or the name is taken. */
  readonly helpName: string | undefined;
  /** The URI schemes whose reads go to this backend. */
  readonly schemes: readonly string[];
}

/** Something that was left out of the catalog, and why. */
export interface Withheld {
  readonly backend: BackendId;
  readonly kind: 'tool' | 'prompt' | 'resource' | 'template';
  readonly name: string;
  readonly reason:
    | 'name_collision'
    | 'name_too_long'
    | 'name_reserved'
    | 'name_illegal'
    | 'no_scope'
    | 'excluded'
    | 'illegal_param_header'
    | 'scheme_taken'
    | 'invalid_definition';
}

/** Why something listed is taken out: its definition is not the accepted one. */
export type QuarantineReason =
  | 'changed' // not as it was accepted
  | 'new' // accepted by nobody, where an operator has to
  | 'baseline_full' // the backend has invented more names than are remembered
  | 'baseline_unusable'; // what was accepted cannot be trusted to be what was accepted

/** Something that a backend lists and nobody may use. */
export interface QuarantinedItem {
  readonly backend: BackendId;
  /** Who holds all of these is told so; to everybody else it does not exist. */
  readonly scopes: readonly string[];
  readonly reason: QuarantineReason;
}

/** What was taken out of the lists, under the names and URIs it had there. */
export interface Quarantined {
  readonly tools: ReadonlyMap<string, QuarantinedItem>;
  readonly prompts: ReadonlyMap<string, QuarantinedItem>;
  readonly resources: ReadonlyMap<string, QuarantinedItem>;
  readonly templates: readonly (QuarantinedItem & Pick<CatalogTemplate, 'uriTemplate' | 'matches'>)[];
}

/**
 * Everything that can be shown or called, at one moment. Never edited, replaced whole; maps iterate in the
 * deterministic order of the lists (by public name or URI, in code-unit order).
 */
export interface Snapshot {
  readonly generation: number;
  readonly tools: ReadonlyMap<string, CatalogTool>;
  readonly prompts: ReadonlyMap<string, CatalogPrompt>;
  readonly resources: ReadonlyMap<string, CatalogResource>;
  readonly templates: readonly CatalogTemplate[];
  readonly backends: ReadonlyMap<BackendId, BackendState>;
  /** Public names of before a prefix or alias edit -> the current public name, for a grace period. */
  readonly formerNames: ReadonlyMap<string, string>;
  /** Every name that was ever given to something listed to all: what belongs to one person may not take it over. */
  readonly names: NameTable;
  readonly withheld: readonly Withheld[];
  readonly quarantined: Quarantined;
}
