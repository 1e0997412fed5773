/**
 * Closes a set of scopes under `scope_implies`, transitively; a circle in the map ends where it began.
 * The result holds the given scopes first.
 */
export function withImplied(
  scopes: Iterable<string>,
  implies: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  const closed = new Set(scopes);
  // A Set's iteration visits what is added on the way, which is the closure.
  for (const scope of closed) for (const implied of implies.get(scope) ?? []) closed.add(implied);
  return closed;
}
