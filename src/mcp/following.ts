import { holdsAll, type Principal } from '#kernel/principal.ts';
import type { EdgeDeps } from './deps.ts';
import { knownItem } from './readable.ts';

/** The resources that one open stream follows at their servers; applications tell of theirs by themselves. */
export interface Following {
  /**
   * Follows these and no others, as far as they may be read now, at whichever server has them now. All anew: after an
   * account was linked, what was followed with the one before says nothing any more.
   */
  follow(uris: Iterable<string>): void;
  stop(): void;
}

export function createFollowing(
  deps: Pick<EdgeDeps, 'personal' | 'snapshot' | 'backend'>,
  principal: Principal,
): Following {
  let stops: readonly (() => void)[] = [];

  function followOne(uri: string): (() => void) | undefined {
    const item = knownItem(deps, deps.snapshot(), principal, uri);
    if (item === undefined || !holdsAll(principal.scopes, item.definition.scopes)) return undefined;
    return deps.backend(item.backend)?.follow?.(uri, principal);
  }

  function replace(next: readonly (() => void)[]): void {
    const before = stops;
    stops = next;
    for (const stop of before) stop();
  }

  return {
    // The new before the old ends: what goes on is not let go of in between.
    follow: (uris) => replace([...uris].flatMap((uri) => followOne(uri) ?? [])),
    stop: () => replace([]),
  };
}
