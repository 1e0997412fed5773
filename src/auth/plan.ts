import { holdsAll } from '#kernel/principal.ts';

/**
 * The plan a set of scopes amounts to: the first configured one whose scopes are all held. A label read off the
 * token: it never adds a scope, and a scope named like a plan is not the plan.
 */
export function planOf(
  held: ReadonlySet<string>,
  plans: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  for (const [plan, scopes] of plans) if (holdsAll(held, scopes)) return plan;
  return undefined;
}
