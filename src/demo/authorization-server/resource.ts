const knownChoices = new Set(['backends', 'mode']);

/**
 * The protected resource that a `resource` parameter names (RFC 8707), byte for byte; a query made only of the
 * choices a gateway's URL may carry (`backends`, `mode`) names the same one. Absent means the first.
 */
export function findResource(named: string | undefined, resources: readonly string[]): string | undefined {
  if (named === undefined) return resources[0];
  if (resources.includes(named)) return named;
  const queryAt = named.indexOf('?');
  if (queryAt < 0 || named.includes('#')) return undefined;
  const names = [...new URLSearchParams(named.slice(queryAt + 1)).keys()];
  if (names.length === 0 || !names.every((name) => knownChoices.has(name))) return undefined;
  return resources.find((resource) => resource === named.slice(0, queryAt));
}
