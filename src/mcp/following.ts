import type { Backend } from '#backends/backend.ts';
import { holdsAll, type Principal } from '#kernel/principal.ts';
import type { EdgeDeps } from './deps.ts';
import { knownItem } from './readable.ts';

/** The resources that one open stream follows at their servers; applications tell of theirs by themselves. */
export interface Following {
  /** Follows these and no others, as far as they may be read now, at whichever server has them now. */
  follow(uris: Iterable<string>): void;
  stop(): void;
}

export function createFollowing(
  deps: Pick<EdgeDeps, 'personal' | 'snapshot' | 'backend'>,
  principal: Principal,
): Following {
  const followed = new Map<string, { readonly backend: Backend; readonly stop: () => void }>();

  function ownerOf(uri: string): Backend | undefined {
    const item = knownItem(deps, deps.snapshot(), principal, uri);
    return item && holdsAll(principal.scopes, item.definition.scopes)
      ? deps.backend(item.backend)
      : undefined;
  }

  return {
    follow(uris) {
      const wanted = new Map([...uris].map((uri) => [uri, ownerOf(uri)]));
      for (const [uri, { backend, stop }] of followed) {
        if (wanted.get(uri) === backend) continue;
        followed.delete(uri);
        stop();
      }
      for (const [uri, backend] of wanted) {
        const stop = followed.has(uri) ? undefined : backend?.follow?.(uri, principal);
        if (backend !== undefined && stop !== undefined) followed.set(uri, { backend, stop });
      }
    },
    stop() {
      for (const { stop } of followed.values()) stop();
      followed.clear();
    },
  };
}
