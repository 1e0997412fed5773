import type { ClientFile, Entry } from '#clients/client.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { jsonEditor } from './edit-json.ts';
import { tomlEditor } from './edit-toml.ts';
import { yamlEditor } from './edit-yaml.ts';
import type { Broken, TextEditor } from './text-editor.ts';

export type EditRefusal =
  | { readonly kind: 'broken'; readonly broken: Broken }
  /** One of the keys that lead to the entry holds something else than a map. */
  | { readonly kind: 'no_map'; readonly key: string }
  /** The entry is of another kind: a command where an address would be written, or the other way round. */
  | { readonly kind: 'another_server' }
  /** It is spelled in a way that cannot be changed without touching the rest. */
  | { readonly kind: 'not_foreseen' };

const editors: Readonly<Record<ClientFile['format'], TextEditor>> = {
  json: jsonEditor,
  toml: tomlEditor,
  yaml: yamlEditor,
};

/** What stands at the entry's name in a client's file. */
export function readEntry(
  file: ClientFile,
  text: string,
  name: string,
): Result<JsonObject | undefined, EditRefusal> {
  const parsed = editors[file.format].parse(text);
  if (!parsed.ok) return err({ kind: 'broken', broken: parsed.error });
  const path = [...file.under, name];
  const found = at(parsed.value, path);
  if (!found.ok) return err({ kind: 'no_map', key: found.error });
  if (found.value === undefined || isJsonObject(found.value)) return ok(found.value);
  return err({ kind: 'no_map', key: path.join('.') });
}

/** The text with the entry in it. Everything else it said, it says afterwards: what comes out otherwise is refused. */
export function putEntry(file: ClientFile, text: string, entry: Entry): Result<string, EditRefusal> {
  const before = readEntry(file, text, entry.name);
  if (!before.ok) return before;
  const members = membersFor(file, entry, before.value);
  if (before.value !== undefined && isAnotherKind(before.value, members))
    return err({ kind: 'another_server' });
  if (before.value !== undefined && holds(before.value, members)) return ok(text);
  const edited = editors[file.format].put(text, [...file.under, entry.name], members);
  return judged(file, text, edited, entry.name, { ...before.value, ...members });
}

/** The text without the entry. */
export function removeEntry(file: ClientFile, text: string, name: string): Result<string, EditRefusal> {
  const before = readEntry(file, text, name);
  if (!before.ok) return before;
  if (before.value === undefined) return ok(text);
  const edited = editors[file.format].remove(text, [...file.under, name]);
  return judged(file, text, edited, name, undefined);
}

/** Those of the file, or the client’s own where the entry is spelled so. */
function membersFor(file: ClientFile, entry: Entry, present: JsonObject | undefined): JsonObject {
  const alike = file.alike?.(entry);
  const isSoSpelled =
    present !== undefined && alike !== undefined && Object.keys(alike).every((key) => key in present);
  return isSoSpelled ? alike : file.members(entry);
}

function judged(
  file: ClientFile,
  before: string,
  after: string,
  name: string,
  expected: JsonObject | undefined,
): Result<string, EditRefusal> {
  const { parse } = editors[file.format];
  const [old, made] = [parse(before), parse(after)];
  if (!old.ok || !made.ok) return err({ kind: 'not_foreseen' });
  const path = [...file.under, name];
  const entry = at(made.value, path);
  const isRight = entry.ok && Bun.deepEquals(entry.value, expected);
  const isRestKept = Bun.deepEquals(without(old.value, path), without(made.value, path));
  return isRight && isRestKept ? ok(after) : err({ kind: 'not_foreseen' });
}

/** Undefined where a key is missing; the error is the path of what is no map. */
function at(value: unknown, path: readonly string[]): Result<unknown, string> {
  let inner = value;
  for (const [depth, key] of path.entries()) {
    if (inner === undefined || inner === null) return ok(undefined);
    if (!isJsonObject(inner)) return err(path.slice(0, depth).join('.') || 'the file');
    inner = Object.hasOwn(inner, key) ? inner[key] : undefined;
  }
  return ok(inner);
}

/** A map without what stands at a path, nor the maps on the way that were made for it. */
function without(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined || value === null) return undefined;
  if (!isJsonObject(value)) return value;
  const inner = without(value[key], rest);
  const isEmpty = isJsonObject(inner) && Object.keys(inner).length === 0;
  const { [key]: _entry, ...others } = value;
  return inner === undefined || isEmpty ? others : { ...others, [key]: inner };
}

function isAnotherKind(present: JsonObject, members: JsonObject): boolean {
  if (!('command' in members)) return 'command' in present;
  const { args } = present;
  // A bridge is given an address; any other command is somebody else's server.
  return !(Array.isArray(args) && args.some((arg) => /^https?:/.test(String(arg))));
}

function holds(present: JsonObject, members: JsonObject): boolean {
  return Object.entries(members).every(([key, value]) => Bun.deepEquals(present[key], value));
}
