import type { Backend, PersonalLists } from '#backends/backend.ts';
import type { BackendRules } from '#catalog/assemble.ts';

/** A server that shows each principal lists of its own (R44), with what the operator says of it. */
export interface PersonalServer {
  readonly backend: Backend & { readonly personal: PersonalLists };
  readonly rules: BackendRules;
  /** Each set of scopes that opens something of it: a caller who holds none of them wholly is never asked about there. */
  readonly scopeSets: readonly (readonly string[])[];
  /** What the tool `<server>_link` needs. Undefined: no accounts are linked there. */
  readonly linkScopes: readonly string[] | undefined;
}
