import { inlineValue, keyAt } from './inline-yaml.ts';
import type { YamlNode, YamlPair } from './yaml-node.ts';

/**
 * Reads the YAML that most config files are written in: block maps and lists, flow maps and lists within a line, and
 * scalars within a line, plain or quoted without escapes. Undefined for everything else, mistakes included: that is
 * for the whole parser to read, which takes longer to load than the rest of a start. What both read, they read alike.
 */
export function readPlainYaml(text: string): YamlNode | undefined {
  const lines = linesOf(text);
  if (lines === undefined) return undefined;
  const block = createBlockReader(lines);
  const [first] = lines;
  if (first === undefined) return { line: undefined };
  const root = block.read(first.indent, 0);
  return block.isAtEnd() ? root : undefined;
}

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/** The key of a map may be no longer than that. */
const maxLineCharacters = 1_000;
const maxDepth = 16;

/** Tabs, other ends of a line, and what editors put in front of a file. */
const strange = /[^\n -~\u00a0-\u2027\u202a-\ufefe\uff00-\uffff]/;

function linesOf(text: string): Line[] | undefined {
  if (strange.test(text)) return undefined;
  const lines: Line[] = [];
  let number = 0;
  for (const written of text.split('\n')) {
    number += 1;
    if (written.length > maxLineCharacters) return undefined;
    const [, before = '', content = ''] = /^( *)(.*?) *$/.exec(written) ?? [];
    if (content !== '' && !content.startsWith('#'))
      lines.push({ number, indent: before.length, text: content });
  }
  return lines;
}

function createBlockReader(lines: Line[]) {
  let at = 0;
  const isItem = (line: Line) => line.text.startsWith('- ');

  function read(indent: number, depth: number): YamlNode | undefined {
    const line = lines[at];
    if (line === undefined || depth > maxDepth) return undefined;
    return isItem(line) ? readList(indent, depth) : readMap(indent, depth);
  }

  function readMap(indent: number, depth: number): YamlNode | undefined {
    const pairs: YamlPair[] = [];
    const start = lines[at]?.number;
    for (let line = lines[at]; line?.indent === indent && !isItem(line); line = lines[at]) {
      const key = keyAt(line.text, 0);
      if (key === undefined) return undefined;
      const value = readValue(line, line.text.slice(key.end), depth);
      if (value === undefined) return undefined;
      pairs.push({ key: { line: line.number, scalar: key.text }, value });
    }
    return { line: start, pairs: () => pairs };
  }

  function readValue(line: Line, rest: string, depth: number): YamlNode | undefined {
    at += 1;
    const next = lines[at];
    const isNested = next !== undefined && next.indent > line.indent;
    if (rest !== '' && !rest.startsWith('#')) return isNested ? undefined : inlineValue(rest, line.number);
    const isListBelow = next?.indent === line.indent && isItem(next);
    return isNested || isListBelow ? read(next.indent, depth + 1) : { line: undefined };
  }

  function readList(indent: number, depth: number): YamlNode | undefined {
    const items: YamlNode[] = [];
    const start = lines[at]?.number;
    for (let line = lines[at]; line?.indent === indent && isItem(line); line = lines[at]) {
      const text = line.text.replace(/^- +/, '');
      if (keyAt(text, 0) === undefined) {
        const item = inlineValue(text, line.number);
        at += 1;
        if (item === undefined || (lines[at]?.indent ?? 0) > indent) return undefined;
        items.push(item);
        continue;
      }
      // The map of an item begins on the item's own line.
      const own = indent + line.text.length - text.length;
      lines[at] = { number: line.number, indent: own, text };
      const item = read(own, depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return { line: start, items: () => items };
  }

  return { read, isAtEnd: () => at === lines.length };
}
