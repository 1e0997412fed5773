import type { McpCall } from './call.ts';
import type { EdgeDeps } from './deps.ts';
import type { Refusal } from './refusal.ts';

/**
 * A prompt or resource beyond the caller's scopes (R36): unknown, or a 403 challenge where the policy says so. What
 * names no scope is unknown to everyone, and so is everything once the answer's head is gone.
 */
export function refuseHidden(
  deps: EdgeDeps,
  call: McpCall,
  scopes: readonly string[],
  unknown: Refusal,
): Refusal {
  const isChallenged = deps.settings().missingScope === 'challenge' && !call.reply.isStreaming;
  return isChallenged && scopes.length > 0 ? { reason: 'scope_missing', scopes } : unknown;
}
