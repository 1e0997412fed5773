import { isJsonObject, type JsonValue } from '#kernel/json.ts';
import type { ClientFile, Entry } from './client.ts';

/** What to put into a client's file by hand, where there is nothing in it yet. */
export function snippet(file: ClientFile, entry: Entry): string {
  const members = file.members(entry);
  const path = [...file.under, entry.name];
  if (file.format === 'toml') {
    const rows = Object.entries(members).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
    return [`[${path.map(tomlKey).join('.')}]`, ...rows].join('\n');
  }
  const whole = path.reduceRight<JsonValue>((inner, key) => ({ [key]: inner }), members);
  return file.format === 'json' ? JSON.stringify(whole, undefined, 2) : yamlLines(whole, '').join('\n');
}

/** A key as TOML writes it: bare where it may be. */
export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

/** Objects as blocks; what JSON writes is YAML, too. */
export function yamlLines(value: JsonValue, indent: string): readonly string[] {
  if (!isJsonObject(value)) return [`${indent}${yamlScalar(value)}`];
  return Object.entries(value).flatMap(([key, inner]) =>
    isJsonObject(inner)
      ? [`${indent}${yamlScalar(key)}:`, ...yamlLines(inner, `${indent}  `)]
      : [`${indent}${yamlScalar(key)}: ${yamlScalar(inner ?? null)}`],
  );
}

/** Plain where it cannot be read as anything else. */
function yamlScalar(value: JsonValue): string {
  const isPlain =
    typeof value === 'string' &&
    /^[A-Za-z][\w./:?=&%-]*[\w/]$/.test(value) &&
    !/^(?:true|false|yes|no|on|off|null)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
