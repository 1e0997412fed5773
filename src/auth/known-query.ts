const knownQuery = /^\?(?:backends|mode)=[A-Za-z0-9_,%+.-]*(?:&(?:backends|mode)=[A-Za-z0-9_,%+.-]*)*$/;
const maxQueryLength = 2_048;

/**
 * Whether a raw query string (with its `?`) holds nothing but the choices a caller may write into the URL.
 * Values are limited to characters that cannot end a quoted string or a header.
 */
export function isKnownQuery(search: string): boolean {
  return search.length <= maxQueryLength && knownQuery.test(search);
}

/** The query to echo into `resource`: the request's own, byte for byte, where `isKnownQuery` holds; else nothing. */
export function echoedQuery(search: string): string {
  return isKnownQuery(search) ? search : '';
}
