import type { Snapshot } from './snapshot.ts';

/** One of the gates between a tool and a caller's list, in the order in which they are passed. */
export interface Gate {
  readonly gate: 'configured' | 'polled' | 'listed' | 'chosen' | 'scopes';
  readonly isPassed: boolean;
  readonly detail: string;
}

/**
 * Why a set of scopes does or does not see a tool: every gate in order, up to and with the first that hides it.
 * `name` is a public name, current or former, or a backend's own name of something withheld.
 */
export function whyHidden(
  snapshot: Snapshot,
  name: string,
  scopes: ReadonlySet<string>,
  backends: readonly string[] | undefined,
): readonly Gate[] {
  const tool = snapshot.tools.get(snapshot.formerNames.get(name) ?? name);
  if (tool === undefined) return whyNotListed(snapshot, name);
  const { backend, definition } = tool;
  const state = snapshot.backends.get(backend);
  const isChosen = backends === undefined || backends.includes(backend);
  const missing = definition.scopes.filter((scope) => !scopes.has(scope));
  return upToRefusal([
    { gate: 'configured', isPassed: true, detail: `backend ${backend}` },
    { gate: 'polled', isPassed: true, detail: state?.status ?? 'gone' },
    { gate: 'listed', isPassed: true, detail: `as ${tool.publicName}` },
    {
      gate: 'chosen',
      isPassed: isChosen,
      detail: isChosen ? 'not filtered out' : `not among ${backends.join(', ')}`,
    },
    {
      gate: 'scopes',
      isPassed: missing.length === 0,
      detail: missing.length === 0 ? definition.scopes.join(' ') : `missing ${missing.join(' ')}`,
    },
  ]);
}

function whyNotListed(snapshot: Snapshot, name: string): readonly Gate[] {
  const quarantined = snapshot.quarantined.tools.get(snapshot.formerNames.get(name) ?? name);
  if (quarantined !== undefined) {
    const { backend, reason } = quarantined;
    return [
      { gate: 'configured', isPassed: true, detail: `backend ${backend}` },
      { gate: 'polled', isPassed: true, detail: snapshot.backends.get(backend)?.status ?? 'gone' },
      {
        gate: 'listed',
        isPassed: false,
        detail: `quarantined: ${reason}; see: cortex integrity diff ${name}`,
      },
    ];
  }
  const withheld = snapshot.withheld.find(
    (item) => item.kind === 'tool' && (item.name === name || `${item.backend}_${item.name}` === name),
  );
  if (withheld !== undefined) {
    return [
      { gate: 'configured', isPassed: true, detail: `backend ${withheld.backend}` },
      { gate: 'polled', isPassed: true, detail: snapshot.backends.get(withheld.backend)?.status ?? 'gone' },
      { gate: 'listed', isPassed: false, detail: `withheld: ${withheld.reason}` },
    ];
  }
  const gone = [...snapshot.backends.values()].filter(({ status }) => status === 'gone');
  const owner = gone.find(({ id }) => name.startsWith(`${id}_`));
  if (owner !== undefined) {
    return [
      { gate: 'configured', isPassed: true, detail: `backend ${owner.id}` },
      { gate: 'polled', isPassed: false, detail: owner.lastError ?? 'has not answered yet' },
    ];
  }
  return [{ gate: 'configured', isPassed: false, detail: 'no backend lists a tool of this name' }];
}

function upToRefusal(gates: readonly Gate[]): readonly Gate[] {
  const refused = gates.findIndex(({ isPassed }) => !isPassed);
  return refused < 0 ? gates : gates.slice(0, refused + 1);
}
