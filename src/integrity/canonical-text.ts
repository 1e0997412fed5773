import { isJsonObject, type JsonValue } from '#kernel/json.ts';

/** JSON with the keys of every object in code-unit order and no white space (as RFC 8785): equal values give equal text. */
export function canonicalText(value: JsonValue): string {
  if (isJsonObject(value)) {
    const members: string[] = [];
    for (const key of Object.keys(value).sort()) {
      const inner = value[key];
      if (inner !== undefined) members.push(`${JSON.stringify(key)}:${canonicalText(inner)}`);
    }
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'object' && value !== null) return `[${value.map(canonicalText).join(',')}]`;
  return JSON.stringify(value);
}
