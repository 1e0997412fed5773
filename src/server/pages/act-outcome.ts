import type { Result } from '#kernel/result.ts';
import type { LinkFailure } from '#vault/linking/link-failure.ts';

/** How an act ended, as the audit has it: the reasons are those of docs/linking.md. */
export function actOutcome(result: Result<unknown, LinkFailure>): {
  readonly outcome: 'ok' | 'refused';
  readonly code: string;
} {
  return result.ok ? { outcome: 'ok', code: 'ok' } : { outcome: 'refused', code: result.error.reason };
}
