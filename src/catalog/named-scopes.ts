import type { BackendId } from '#kernel/ids.ts';
import type { Snapshot } from './snapshot.ts';

const none: ReadonlySet<string> = new Set();

/** Every scope that something of a backend's asks for, as the snapshot has it; made once for each snapshot. */
export function createNamedScopes(snapshot: () => Snapshot): (backend: BackendId) => ReadonlySet<string> {
  let of: Snapshot | undefined;
  let named: ReadonlyMap<BackendId, ReadonlySet<string>> = new Map();
  return (backend) => {
    const now = snapshot();
    if (now !== of) {
      named = collect(now);
      of = now;
    }
    return named.get(backend) ?? none;
  };
}

function collect({
  tools,
  prompts,
  resources,
  templates,
}: Snapshot): ReadonlyMap<BackendId, ReadonlySet<string>> {
  const named = new Map<BackendId, Set<string>>();
  const all = [...tools.values(), ...prompts.values(), ...resources.values(), ...templates];
  for (const { backend, definition } of all) {
    const scopes = named.get(backend) ?? new Set();
    for (const scope of definition.scopes) scopes.add(scope);
    named.set(backend, scopes);
  }
  return named;
}
