import type { QuarantinedItem } from '#catalog/snapshot.ts';
import { holdsAll } from '#kernel/principal.ts';
import type { McpCall } from './call.ts';
import type { Refusal } from './refusal.ts';

/** What is quarantined is said to be so to those alone whose scopes would open it; undefined: to this caller it is unknown. */
export function quarantineRefusal(
  { principal, facts }: Pick<McpCall, 'principal' | 'facts'>,
  item: QuarantinedItem | undefined,
  what: 'tool' | 'prompt' | 'resource',
  name: string,
): Refusal | undefined {
  if (item === undefined || !holdsAll(principal.scopes, item.scopes)) return undefined;
  facts.scopes = item.scopes;
  return { reason: 'quarantined', what, name };
}
