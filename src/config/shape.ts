import type { AnyOption } from './option.ts';

/** The options as a tree: what may stand where in the file. */
export interface Shape {
  /** Dotted, with its `<placeholders>`; empty at the root. */
  readonly path: string;
  readonly option: AnyOption | undefined;
  readonly children: ReadonlyMap<string, Shape>;
  /** What a key of the operator's choice leads to. */
  readonly any: Shape | undefined;
  readonly isList: boolean;
}

interface Growing {
  readonly path: string;
  option: AnyOption | undefined;
  readonly children: Map<string, Growing>;
  any: Growing | undefined;
  isList: boolean;
}

/** The tree of an options table. */
export function shapeOf(table: readonly AnyOption[]): Shape {
  const root = grow('');
  for (const option of table) {
    let node = root;
    for (const segment of option.path.split('.')) node = descend(node, segment);
    node.option = option;
  }
  return root;
}

function descend(node: Growing, segment: string): Growing {
  const path = node.path === '' ? segment : `${node.path}.${segment}`;
  if (segment.startsWith('<')) {
    node.isList = segment === '<n>';
    node.any ??= grow(path);
    return node.any;
  }
  const child = node.children.get(segment) ?? grow(path);
  node.children.set(segment, child);
  return child;
}

function grow(path: string): Growing {
  return { path, option: undefined, children: new Map(), any: undefined, isList: false };
}
