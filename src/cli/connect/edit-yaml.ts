import { isMap, isNode, isScalar, type Pair, parseDocument, visit, type YAMLMap } from 'yaml';
import { yamlLines } from '#clients/snippet.ts';
import type { JsonObject } from '#kernel/json.ts';
import { err, ok } from '#kernel/result.ts';
import { lineEndOf, placeOf, type TextEditor } from './text-editor.ts';

/** YAML whose entries stand in blocks, two keys deep; any other spelling is left to people. */
export const yamlEditor: TextEditor = {
  parse(text) {
    const document = parseDocument(text);
    const [first] = document.errors;
    if (first === undefined) {
      const value: unknown = document.toJS();
      return ok(value ?? {});
    }
    const [message = ''] = first.message.split(/ at line \d+|\n/);
    return err({ ...placeOf(text, first.pos[0]), message });
  },

  put(text, path, members) {
    const [group = '', name = ''] = path;
    const block = (value: JsonObject, indent: string) => linesOf(text, value, indent);
    const servers = pairAt(rootOf(text), group);
    if (servers === undefined) return withLineEnd(text) + block({ [group]: { [name]: members } }, '');
    const { value } = servers;
    if (!isMap(value) || value.items.length === 0) {
      const [from, to] = rangeOf(value) ?? [0, 0];
      const emptied = text.slice(0, from).replace(/[ \t]+$/, '') + text.slice(to);
      return insertBelow(emptied, servers, block({ [name]: members }, '  '));
    }
    const entry = pairAt(value, name);
    if (entry === undefined)
      return insertBelow(text, servers, block({ [name]: members }, indentOf(text, value)));
    if (!isMap(entry.value)) return text;
    return setMembers(text, entry, entry.value, members);
  },

  remove(text, path) {
    const [group = '', name = ''] = path;
    const servers = pairAt(rootOf(text), group);
    const entry = pairAt(servers?.value, name);
    if (servers === undefined || entry === undefined || !isMap(servers.value)) return text;
    const from = text.lastIndexOf('\n', startOf(entry)) + 1;
    const shortened = text.slice(0, from) + text.slice(endOfLine(text, lastOf(entry)));
    if (servers.value.items.length > 1) return shortened;
    const colon = shortened.indexOf(':', endOfKey(servers));
    return `${shortened.slice(0, colon + 1)} {}${shortened.slice(colon + 1)}`;
  },
};

function rootOf(text: string): unknown {
  return parseDocument(text).contents;
}

function pairAt(map: unknown, key: string): Pair | undefined {
  return isMap(map) ? map.items.find((pair) => isScalar(pair.key) && pair.key.value === key) : undefined;
}

/** From the last member to the first, so that what is still to be changed stays where it is. */
function setMembers(text: string, entry: Pair, map: YAMLMap, members: JsonObject): string {
  const present = Object.entries(members).flatMap(([key, value]) => {
    const range = rangeOf(pairAt(map, key)?.value);
    return range === undefined ? [] : [{ key, value, range }];
  });
  const edited = present
    .toSorted((one, other) => other.range[0] - one.range[0])
    .reduce((before, { value, range }) => {
      const [line = ''] = yamlLines(value ?? null, '');
      return before.slice(0, range[0]) + line + before.slice(range[1]);
    }, text);
  const missing = Object.entries(members).filter(([key]) => pairAt(map, key) === undefined);
  return insertBelow(edited, entry, linesOf(text, Object.fromEntries(missing), indentOf(text, map)));
}

function linesOf(text: string, value: JsonObject, indent: string): string {
  return yamlLines(value, indent)
    .map((line) => line + lineEndOf(text))
    .join('');
}

/** Below the line of a key, so that what is said above its first child stays there. */
function insertBelow(text: string, pair: Pair, lines: string): string {
  const at = endOfLine(text, endOfKey(pair));
  const before = text.slice(0, at);
  return (lines === '' ? before : withLineEnd(before)) + lines + text.slice(at);
}

function indentOf(text: string, map: YAMLMap): string {
  const start = startOf(map.items[0]);
  return text.slice(text.lastIndexOf('\n', start - 1) + 1, start);
}

function withLineEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? text : text + lineEndOf(text);
}

/** Behind the line end that follows. */
function endOfLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

function startOf(pair: Pair | undefined): number {
  return rangeOf(pair?.key)?.[0] ?? 0;
}

function endOfKey(pair: Pair): number {
  return rangeOf(pair.key)?.[1] ?? 0;
}

/** The offset of the last character that says something: blocks themselves end where the next one begins. */
function lastOf(pair: Pair): number {
  let last = endOfKey(pair);
  if (!isNode(pair.value)) return last;
  visit(pair.value, {
    Scalar: (_key, { range }) => {
      if (range) last = Math.max(last, range[1]);
    },
    Collection: (_key, { flow, range }) => {
      if (flow === true && range) last = Math.max(last, range[1]);
    },
  });
  return last;
}

function rangeOf(node: unknown): readonly [from: number, to: number] | undefined {
  if (!isScalar(node) && !isMap(node)) return undefined;
  const { range } = node;
  return range ? [range[0], range[1]] : undefined;
}
