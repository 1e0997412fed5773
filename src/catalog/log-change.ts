import type { Log } from '#kernel/log.ts';
import { diffSnapshots, type ItemChange } from './diff.ts';
import type { Snapshot } from './snapshot.ts';

const MAX_NAMED = 10;

/** `+ new`, `- gone`, `~ different`, the first ten. */
function summary(changes: readonly ItemChange<unknown>[]): string | undefined {
  if (changes.length === 0) return undefined;
  const named = changes.slice(0, MAX_NAMED).map(({ key, before, after }) => {
    const sign = before === undefined ? '+' : after === undefined ? '-' : '~';
    return `${sign}${key}`;
  });
  const rest = changes.length - named.length;
  return rest > 0 ? `${named.join(' ')} and ${rest} more` : named.join(' ');
}

/** Tells the operator what a poll or a reload changed. */
export function logCatalogChange(log: Log, before: Snapshot, after: Snapshot): void {
  const diff = diffSnapshots(before, after);
  log.info('catalog.changed', {
    generation: after.generation,
    tools: summary(diff.tools),
    prompts: summary(diff.prompts),
    resources: summary([...diff.resources, ...diff.templates]),
    backends: summary(diff.backends),
  });
}
