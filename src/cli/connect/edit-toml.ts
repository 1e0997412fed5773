import { parse, TomlError } from 'smol-toml';
import { tomlKey } from '#clients/snippet.ts';
import type { JsonObject } from '#kernel/json.ts';
import { err, ok } from '#kernel/result.ts';
import { lineEndOf, type TextEditor } from './text-editor.ts';

/** TOML, where each entry is a table with a header of its own; any other spelling is left to people. */
export const tomlEditor: TextEditor = {
  parse(text) {
    try {
      return ok(parse(text, { integersAsBigInt: 'asNeeded' }));
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const [message = ''] = error.message.replace('Invalid TOML document: ', '').split('\n');
      return err({ line: error.line, column: error.column, message });
    }
  },

  put(text, path, members) {
    const eol = lineEndOf(text);
    const lines = text.split(eol);
    const header = headersOf(lines).find(({ keys }) => isSame(keys, path));
    if (header === undefined) {
      const table = [`[${path.map(tomlKey).join('.')}]`, ...rows(members)].join(eol);
      const before = text.trimEnd();
      return before === ''
        ? `${text}${table}${eol}`
        : `${text.replace(/(?:\r?\n)*$/, '')}${eol}${eol}${table}${eol}`;
    }
    const body = lines.slice(header.line + 1, header.end);
    for (const [key, value] of Object.entries(members)) {
      const at = body.findIndex((line) => valueIn(line, key) !== undefined);
      const row = `${tomlKey(key)} = ${JSON.stringify(value)}`;
      if (at === -1) body.unshift(row);
      else body[at] = valueIn(body[at] ?? '', key)?.(JSON.stringify(value)) ?? row;
    }
    return [...lines.slice(0, header.line + 1), ...body, ...lines.slice(header.end)].join(eol);
  },

  remove(text, path) {
    const eol = lineEndOf(text);
    const lines = text.split(eol);
    const doomed = headersOf(lines).filter(({ keys }) => isSame(keys.slice(0, path.length), path));
    for (const { line, end } of doomed.reverse()) {
      let last = end;
      // A comment right above the next table is about that one.
      while (last > line + 1 && /^\s*(?:#.*)?$/.test(lines[last - 1] ?? '')) last -= 1;
      const isBlankBefore = (lines[line - 1] ?? '').trim() === '' && line > 0;
      lines.splice(isBlankBefore ? line - 1 : line, last - line + (isBlankBefore ? 1 : 0));
    }
    return lines.join(eol);
  },
};

function rows(members: JsonObject): readonly string[] {
  return Object.entries(members).map(([key, value]) => `${tomlKey(key)} = ${JSON.stringify(value)}`);
}

/** A line that gives the key a string: what it becomes with another value. Its comment stays. */
function valueIn(line: string, key: string): ((value: string) => string) | undefined {
  const pattern =
    /^(\s*)([\w-]+|"[^"\\]*"|'[^']*')(\s*=\s*)(?:"(?:[^"\\]|\\.)*"|'[^']*'|true|false)(\s*(?:#.*)?)$/;
  const [, indent = '', name = '', equals = '', rest = ''] = pattern.exec(line) ?? [];
  if (name.replaceAll(/^["']|["']$/g, '') !== key) return undefined;
  return (value) => `${indent}${name}${equals}${value}${rest}`;
}

interface Header {
  readonly keys: readonly string[];
  readonly line: number;
  /** The line of the next header, or the end. */
  readonly end: number;
}

/** The lines that begin a table: those outside strings and arrays that run over several lines. */
function headersOf(lines: readonly string[]): readonly Header[] {
  const found: { readonly keys: readonly string[]; readonly line: number }[] = [];
  let inside: Inside = { quote: undefined, depth: 0 };
  for (const [line, text] of lines.entries()) {
    const [, body] = /^\s*\[\[?([^[\]]+(?:"[^"]*"|'[^']*')?[^[\]]*)\]\]?\s*(?:#.*)?$/.exec(text) ?? [];
    if (body !== undefined && inside.quote === undefined && inside.depth === 0) {
      found.push({ keys: keysOf(body), line });
    } else inside = after(text, inside);
  }
  return found.map((header, index) => ({ ...header, end: found[index + 1]?.line ?? lines.length }));
}

function keysOf(body: string): readonly string[] {
  return [...body.matchAll(/"([^"\\]*)"|'([^']*)'|([\w-]+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
}

interface Inside {
  readonly quote: '"""' | "'''" | undefined;
  /** Of brackets. */
  readonly depth: number;
}

/** What is still open at the end of a line. */
function after(text: string, { quote, depth }: Inside): Inside {
  let open = quote;
  let level = depth;
  const token = /"""|'''|"(?:[^"\\]|\\.)*"|'[^']*'|\\.|#.*|[[\]{}]/g;
  for (const [part] of text.matchAll(token)) {
    if (open !== undefined) open = part === open ? undefined : open;
    else if (part === '"""' || part === "'''") open = part;
    else if (part === '[' || part === '{') level += 1;
    else if (part === ']' || part === '}') level -= 1;
  }
  return { quote: open, depth: level };
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index]);
}
