import { isJsonObject } from '#kernel/json.ts';

/**
 * The roles in a claim's value: one text (which is one role, spaces and all), or a list of texts. With `mayBeKeys` also
 * the keys of an object whose values are objects that are not empty, or a list of such objects (ZITADEL).
 */
export function rolesOf(value: unknown, mayBeKeys: boolean): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.flatMap((item) => {
    const named = typeof item === 'string' ? [item] : mayBeKeys && isJsonObject(item) ? keysOf(item) : [];
    return named.filter((role) => role !== '' && role.isWellFormed());
  });
}

/** `{"admin": {"<organization>": "<domain>"}}`; a role that no organization gave is none. */
function keysOf(roles: object): readonly string[] {
  return Object.entries(roles)
    .filter(([, givers]) => isJsonObject(givers) && Object.keys(givers).length > 0)
    .map(([role]) => role);
}
