import type { Log } from '#kernel/log.ts';
import type { Snapshot, Withheld } from './snapshot.ts';

const MAX_LINES = 50;
const MAX_NAME_LENGTH = 128;

/** Logs what a snapshot withholds and the one before did not; what the operator excluded is no news. */
export function logWithheld(before: Snapshot, after: Snapshot, log: Log): void {
  const known = new Set(before.withheld.map(keyOf));
  const fresh = after.withheld.filter((item) => item.reason !== 'excluded' && !known.has(keyOf(item)));
  for (const { backend, kind, name, reason } of fresh.slice(0, MAX_LINES))
    log.warn('catalog.withheld', { backend, kind, name: name.slice(0, MAX_NAME_LENGTH), reason });
  if (fresh.length > MAX_LINES) log.warn('catalog.withheld_more', { count: fresh.length - MAX_LINES });
}

function keyOf({ backend, kind, name, reason }: Withheld): string {
  return JSON.stringify([backend, kind, name, reason]);
}
