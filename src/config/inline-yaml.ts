import type { YamlNode, YamlPair } from './yaml-node.ts';

const key = /(?:(\w[\w.*/-]*)|"([^"\\]*)"|'([^']*)'):(?: +|$)/y;
const noValue = /^(?:~|[Nn]ull|NULL)$/;
const blockPlain = /(?:[\w./$~]|-(?=[\w-]))(?:(?!: | #).)*/y;
const flowPlain = /(?:[\w./$~]|-(?=[\w-]))(?:(?!: )[^,[\]{}#"'])*/y;
const quoted = /"([^"\\]*)"|'([^']*)'(?!')/y;
const space = / */y;
const rest = /(?: *$)|(?: +#.*$)/y;
const maxFlowDepth = 8;

/** The key that a text begins with at `at`, and where its value begins. */
export function keyAt(text: string, at: number): { readonly text: string; readonly end: number } | undefined {
  const found = matchAt(key, text, at);
  if (found === undefined) return undefined;
  const [whole, plain, double, single] = found;
  if (plain !== undefined && noValue.test(plain)) return undefined;
  return { text: plain ?? double ?? single ?? '', end: at + whole.length };
}

/** The value that a line ends with, and a comment at most; undefined where it is none of the plain ones. */
export function inlineValue(text: string, line: number): YamlNode | undefined {
  const found = valueAt(text, 0, 0);
  return found !== undefined && matchAt(rest, text, found.end) !== undefined ? found.node : undefined;

  function valueAt(from: string, at: number, depth: number): Found | undefined {
    if (depth > maxFlowDepth) return undefined;
    if (from[at] === '{') return mapAt(from, at, depth);
    if (from[at] === '[') return listAt(from, at, depth);
    const inQuotes = matchAt(quoted, from, at);
    if (inQuotes !== undefined) {
      const [whole, double, single] = inQuotes;
      return { node: { line, scalar: double ?? single ?? '' }, end: at + whole.length };
    }
    const plain = matchAt(depth === 0 ? blockPlain : flowPlain, from, at)?.[0].trimEnd();
    if (plain === undefined || plain.endsWith(':')) return undefined;
    const end = at + plain.length;
    return { node: noValue.test(plain) ? { line } : { line, scalar: plain }, end };
  }

  function mapAt(from: string, open: number, depth: number): Found | undefined {
    const pairs: YamlPair[] = [];
    const end = membersAt(from, open, '}', (at) => {
      const name = keyAt(from, at);
      const value = name && valueAt(from, name.end, depth + 1);
      if (value !== undefined) pairs.push({ key: { line, scalar: name?.text ?? '' }, value: value.node });
      return value?.end;
    });
    return end === undefined ? undefined : { node: { line, pairs: () => pairs }, end };
  }

  function listAt(from: string, open: number, depth: number): Found | undefined {
    const items: YamlNode[] = [];
    const end = membersAt(from, open, ']', (at) => {
      const item = valueAt(from, at, depth + 1);
      if (item !== undefined) items.push(item.node);
      return item?.end;
    });
    return end === undefined ? undefined : { node: { line, items: () => items }, end };
  }
}

interface Found {
  readonly node: YamlNode;
  readonly end: number;
}

/** Reads members with commas between them; gives where the bracket that closes them ends. */
function membersAt(
  text: string,
  open: number,
  close: string,
  member: (at: number) => number | undefined,
): number | undefined {
  let at = afterSpace(text, open + 1);
  if (text[at] === close) return at + 1;
  for (;;) {
    const end = member(at);
    if (end === undefined) return undefined;
    at = afterSpace(text, end);
    if (text[at] === close) return at + 1;
    if (text[at] !== ',') return undefined;
    at = afterSpace(text, at + 1);
  }
}

function afterSpace(text: string, at: number): number {
  return at + (matchAt(space, text, at)?.[0].length ?? 0);
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
