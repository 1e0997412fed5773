import type { BackendState, Snapshot } from '#catalog/snapshot.ts';
import { visibleCatalog } from '#catalog/visibility.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Choice } from './choice.ts';
import type { EdgeDeps } from './deps.ts';
import type { PersonalPart } from './personal-part.ts';
import type { Seen, View } from './views.ts';

/** What one caller sees, in two halves: the first is shared and cached, the second is nobody else's and is not. */
export interface Sight {
  readonly shared: View;
  /** Undefined: nothing, as for everyone where no server has lists of its own for each. */
  readonly own: Own | undefined;
}

/** The visible part of what a principal has for itself. */
export interface Own extends Seen {
  /** Tells this part from every other, also of the same principal. */
  readonly key: string;
  /** Some server has not told its lists. */
  readonly isLate: boolean;
}

/** Who looks, at what, through which choice. */
export interface Looking {
  readonly snapshot: Snapshot;
  readonly principal: Principal;
  readonly choice: Choice;
}

/** Everything that may be said to a caller. Without a promise where nothing has to be asked for. */
export function sightOf(
  deps: Pick<EdgeDeps, 'views' | 'personal'>,
  looking: Looking,
): Sight | Promise<Sight> {
  const { snapshot, principal, choice } = looking;
  const shared = deps.views.of(snapshot, principal, choice);
  if (!deps.personal.concerns(principal)) return { shared, own: undefined };
  const part = deps.personal.of(snapshot, principal);
  if (part instanceof Promise) return part.then((made) => ({ shared, own: ownOf(made, looking) }));
  return { shared, own: ownOf(part, looking) };
}

/** What is known at once of the caller's own half. */
export function knownOwn(deps: Pick<EdgeDeps, 'personal'>, looking: Looking): Own | undefined {
  const { snapshot, principal } = looking;
  if (!deps.personal.concerns(principal)) return undefined;
  return ownOf(deps.personal.known(snapshot, principal), looking);
}

function ownOf(part: PersonalPart, { principal, choice }: Looking): Own {
  const seen = visibleCatalog(part, principal.scopes, choice.backends);
  const shown = new Set(seen.backends.map(({ id }) => id));
  const isLate = [...part.late].some((id) => choice.backends?.includes(id) ?? true);
  return {
    ...seen,
    key: `${part.revision}\n${principal.key}\n${principal.scopeKey}\n${choice.key}`,
    choice,
    links: new Map([...part.links].filter(([id]) => shown.has(id))),
    isLate,
    isDegraded: isLate || seen.backends.some(({ status }) => status !== 'fresh'),
  };
}

/** Both halves as one. */
export function wholeOf({ shared, own }: Sight): Seen {
  if (own === undefined) return shared;
  return {
    choice: shared.choice,
    tools: merged(shared.tools, own.tools, ({ publicName }) => publicName),
    prompts: merged(shared.prompts, own.prompts, ({ publicName }) => publicName),
    resources: merged(shared.resources, own.resources, ({ uri }) => uri),
    templates: merged(shared.templates, own.templates, ({ uriTemplate }) => uriTemplate),
    backends: mergedStates(shared.backends, own.backends),
    links: own.links,
    isDegraded: shared.isDegraded || own.isDegraded,
  };
}

function merged<T>(a: readonly T[], b: readonly T[], nameOf: (item: T) => string): readonly T[] {
  if (b.length === 0) return a;
  return [...a, ...b].sort((x, y) => (nameOf(x) < nameOf(y) ? -1 : 1));
}

/** A server may list some things to all and some to each: it is as well as the worse of the two. */
function mergedStates(a: readonly BackendState[], b: readonly BackendState[]): readonly BackendState[] {
  const byId = new Map<BackendId, BackendState>(a.map((state) => [state.id, state]));
  for (const state of b) {
    const known = byId.get(state.id);
    if (known === undefined || known.status === 'fresh') byId.set(state.id, state);
  }
  return [...byId.values()].sort((x, y) => (x.id < y.id ? -1 : 1));
}
