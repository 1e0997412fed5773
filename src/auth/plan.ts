import { holdsAll } from '#kernel/principal.ts';

/**
 * The plan a set of scopes amounts to: the first configured one whose scopes are all held, passing over a plan that
 * lies wholly within another held one (so `free` before `pro` in the file does not hide `pro`).
 * A label read off the token: it never adds a scope.
 */
export function planOf(
  held: ReadonlySet<string>,
  plans: Readonly<Record<string, readonly string[]>>,
): string | undefined {
  const satisfied = Object.entries(plans).filter(([, scopes]) => holdsAll(held, scopes));
  const first = satisfied.find(
    ([, scopes]) => !satisfied.some(([, others]) => isWithin(scopes, others) && !isWithin(others, scopes)),
  );
  return first?.[0];
}

function isWithin(scopes: readonly string[], others: readonly string[]): boolean {
  return scopes.every((scope) => others.includes(scope));
}
