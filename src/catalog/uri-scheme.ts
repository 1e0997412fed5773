/** The scheme of a URI or URI template in lower case (RFC 3986 section 3.1); undefined where it names none. */
export function uriScheme(uri: string): string | undefined {
  return /^([A-Za-z][A-Za-z0-9+.-]{0,63}):/.exec(uri)?.[1]?.toLowerCase();
}
