import {
  createScanner,
  findNodeAtLocation,
  type Node,
  type ParseError,
  parse,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import type { JsonValue } from '#kernel/json.ts';
import { err, ok } from '#kernel/result.ts';
import { lineEndOf, placeOf, type TextEditor } from './text-editor.ts';

const asWritten = { allowTrailingComma: true } as const;

/** JSON, with the comments and the commas at the end that many programs allow in it. */
export const jsonEditor: TextEditor = {
  parse(text) {
    if (text.trim() === '') return ok({});
    const errors: ParseError[] = [];
    const value: unknown = parse(text, errors, asWritten);
    const [first] = errors;
    if (first === undefined) return ok(value);
    return err({ ...placeOf(text, first.offset), message: words(printParseErrorCode(first.error)) });
  },

  put(text, path, members) {
    const start = text.trim() === '' ? `{}${lineEndOf(text)}` : text;
    const present = nodeAt(start, path);
    if (present === undefined) return insert(start, path, members);
    return Object.entries(members).reduce((edited, [key, value]) => {
      const member = [...path, key];
      if (nodeAt(edited, member) === undefined) return insert(edited, member, value ?? null);
      return replace(edited, member, value ?? null);
    }, start);
  },

  remove(text, path) {
    const property = nodeAt(text, path)?.parent;
    const siblings = property?.parent?.children ?? [];
    if (property === undefined) return text;
    const before = siblings[siblings.indexOf(property) - 1];
    const comma = commaAfter(text, endOf(property));
    const lineStart = text.lastIndexOf('\n', property.offset - 1) + 1;
    const from = text.slice(lineStart, property.offset).trim() === '' ? lineStart : property.offset;
    const [rest = ''] = /^[ \t]*(?:\r?\n)?/.exec(text.slice(comma ?? endOf(property))) ?? [];
    const to = (comma ?? endOf(property)) + rest.length;
    const isLast = siblings.at(-1) === property;
    // JSON proper has no comma behind the last member.
    const spare =
      isLast && comma === undefined && before !== undefined ? commaAfter(text, endOf(before)) : undefined;
    const head =
      spare === undefined ? text.slice(0, from) : text.slice(0, spare - 1) + text.slice(spare, from);
    const isOwnLine = from === lineStart;
    return head + (isOwnLine || rest === '' ? '' : rest.trimStart()) + text.slice(to);
  },
};

/** Another value; of a list only the items that differ, so that it stays as it is spread over lines. */
function replace(text: string, path: readonly (string | number)[], value: JsonValue): string {
  const node = nodeAt(text, path);
  if (node === undefined) return text;
  const items = node.type === 'array' ? node.children : undefined;
  if (Array.isArray(value) && items?.length === value.length) {
    return value.reduce((edited, item, index) => replace(edited, [...path, index], item), text);
  }
  return text.slice(0, node.offset) + JSON.stringify(value) + text.slice(endOf(node));
}

/** A new member, with the objects on the way that are missing. It goes first: what is said beside the others stays there. */
function insert(text: string, path: readonly string[], value: JsonValue): string {
  const depth = path.findIndex((_key, index) => nodeAt(text, path.slice(0, index + 1)) === undefined);
  const parent = nodeAt(text, path.slice(0, depth));
  if (depth === -1 || parent?.type !== 'object') return text;
  const [key = '', ...inner] = path.slice(depth);
  const whole = inner.reduceRight<JsonValue>((below, name) => ({ [name]: below }), value);
  const eol = lineEndOf(text);
  const unit = /^([ \t]+)["}/]/m.exec(text)?.[1] ?? '  ';
  const outer = /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', parent.offset - 1) + 1))?.[0] ?? '';
  const member = `${outer}${unit}${JSON.stringify(key)}: ${JSON.stringify(whole, undefined, unit).replaceAll('\n', `${eol}${outer}${unit}`)}`;
  if ((parent.children ?? []).length === 0) {
    const close = endOf(parent) - 1;
    return `${text.slice(0, close).trimEnd()}${eol}${member}${eol}${outer}${text.slice(close)}`;
  }
  const open = parent.offset + 1;
  const [line = ''] = /^[ \t]*(?:\/\/[^\n]*)?\n/.exec(text.slice(open).replaceAll('\r', '')) ?? [];
  if (line === '')
    return `${text.slice(0, open)}${JSON.stringify(key)}:${JSON.stringify(whole)},${text.slice(open)}`;
  const below = text.indexOf('\n', open) + 1;
  return `${text.slice(0, below)}${member},${eol}${text.slice(below)}`;
}

function nodeAt(text: string, path: readonly (string | number)[]): Node | undefined {
  const root = parseTree(text, [], asWritten);
  return root === undefined ? undefined : findNodeAtLocation(root, [...path]);
}

function endOf(node: Node): number {
  return node.offset + node.length;
}

/** The offset behind a comma that comes next, comments aside. */
function commaAfter(text: string, offset: number): number | undefined {
  const scanner = createScanner(text, true);
  scanner.setPosition(offset);
  scanner.scan();
  return text[scanner.getTokenOffset()] === ',' ? scanner.getTokenOffset() + 1 : undefined;
}

/** `PropertyNameExpected` as a person says it. */
function words(code: string): string {
  return code.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase();
}
