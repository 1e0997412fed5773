import type { McpCall } from './call.ts';
import type { EdgeDeps } from './deps.ts';
import type { Seen } from './views.ts';

/**
 * `ttlMs` and `cacheScope` of a modern answer (R17): always private, because it depends on the token; fresh for the
 * polling interval, or not at all while a backend that the caller sees is degraded. Legacy answers have none.
 */
export function cacheHints(deps: EdgeDeps, call: McpCall, view: Pick<Seen, 'isDegraded'>): string {
  if (call.era === 'legacy') return '';
  return `,"ttlMs":${view.isDegraded ? 0 : deps.settings().listTtlMs},"cacheScope":"private"`;
}
