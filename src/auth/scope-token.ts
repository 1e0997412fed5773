/**
 * Whether a string is one scope-token (RFC 6749 section 3.3). A space, quote or backslash in a "scope" would
 * forge another caller's `scopeKey`, or attributes of our own `WWW-Authenticate`.
 */
export function isScopeToken(value: string): boolean {
  return /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(value);
}

/** The scopes in a claim's value: a space-separated string, or an array of scopes. What is not a scope-token is dropped. */
export function scopesOf(value: unknown): readonly string[] {
  const items: readonly unknown[] =
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  return items.filter((item): item is string => typeof item === 'string' && isScopeToken(item));
}
