import { isStringArray } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** Whether a text is one scope: printable ASCII without space, quote and backslash (RFC 6749 section 3.3). */
export function isScopeToken(text: string): boolean {
  return /^[!#-[\]-~]+$/.test(text);
}

/**
 * The scopes that a definition or an error body names: one string, where spaces separate several as in OAuth, or
 * a list. All are needed. Absent is an empty list.
 */
export function parseScopes(value: unknown): Result<readonly string[], string> {
  if (value === undefined || value === null) return ok([]);
  if (typeof value !== 'string' && !isStringArray(value))
    return err('scope is neither a string nor a list of strings');
  const scopes = typeof value === 'string' ? value.split(' ').filter((scope) => scope !== '') : value;
  const illegal = scopes.find((scope) => !isScopeToken(scope));
  if (illegal !== undefined) return err('scope holds a character that no scope can have');
  return ok([...new Set(scopes)]);
}
