import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { type Issue, type Origin, problem } from './issue.ts';
import { nearest } from './nearest.ts';
import { type Setting, type SettingPath, type Settings, showPath } from './settings.ts';
import type { Shape } from './shape.ts';

const maxNodes = 20_000;

interface YamlFile {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
  /** The folder that relative paths count from. */
  readonly base: string;
}

/**
 * Puts every value of the file into `settings` and returns everything that has no place there. The file's own
 * objects are never built: the nodes are walked along the tree of options, so a key can reach no prototype, and
 * aliases can unfold no further than that tree is deep. Keys are compared here: the parser's own way to find
 * one that is there twice takes a minute for 50,000 keys.
 */
export function readYaml(source: YamlFile, shape: Shape, settings: Settings): readonly Issue[] {
  const lines = new LineCounter();
  const document = parseDocument(source.text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const issues: Issue[] = [];
  let nodesLeft = maxNodes;

  const at = (offset: number | undefined): Origin => ({
    kind: 'file',
    file: source.file,
    line: Math.max(1, lines.linePos(offset ?? 0).line),
  });
  const originOf = (node: unknown, otherwise: Origin): Origin => {
    const isNode = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
    return isNode && node.range ? at(node.range[0]) : otherwise;
  };

  for (const fault of [...document.errors, ...document.warnings]) {
    issues.push(problem(at(fault.pos[0]), `not valid YAML: ${fault.message.replace(/\.$/, '')}`));
  }
  if (document.errors.length > 0) return issues;
  walk(document.contents, shape, [], at(0));
  return issues;

  function walk(written: unknown, place: Shape, path: SettingPath, origin: Origin): void {
    nodesLeft -= 1;
    if (nodesLeft === 0) issues.push(problem(origin, `the file holds more than ${maxNodes} values`));
    if (nodesLeft <= 0) return;
    const node = isAlias(written) ? written.resolve(document) : written;
    if (node === undefined || node === null || (isScalar(node) && node.value === null)) return;
    const read = place.option !== undefined ? readLeaf : place.isList ? walkList : walkMap;
    read(node, place, path, origin);
  }

  function walkList(node: object, place: Shape, path: SettingPath, origin: Origin): void {
    if (!isSeq(node) || place.any === undefined) {
      issues.push(problem(origin, `${showPath(path)} must be a list`, 'Begin each item with "- ".'));
      return;
    }
    for (const [index, item] of node.items.entries()) {
      const itemPath = [...path, String(index)];
      const itemOrigin = originOf(item, origin);
      settings.addMember(itemPath, itemOrigin);
      walk(item, place.any, itemPath, itemOrigin);
    }
  }

  function walkMap(node: object, place: Shape, path: SettingPath, origin: Origin): void {
    if (!isMap(node)) {
      const name = path.length === 0 ? 'the file' : showPath(path);
      issues.push(problem(origin, `${name} must hold keys and values`, keysHint(place)));
      return;
    }
    const seen = new Set<string>();
    for (const pair of node.items) {
      const keyOrigin = originOf(pair.key, origin);
      const key = scalarText(pair.key);
      if (key === undefined) {
        issues.push(problem(keyOrigin, 'a key must be one word'));
        continue;
      }
      const next = place.children.get(key) ?? place.any;
      const keyPath = [...path, key];
      if (seen.has(key)) issues.push(problem(keyOrigin, `${showPath(keyPath)} is there twice`));
      seen.add(key);
      if (next === undefined) {
        issues.push(
          problem(keyOrigin, `${showPath(keyPath)} is not a setting`, unknownKeyHint(key, place, shape)),
        );
        continue;
      }
      if (place.any !== undefined) settings.addMember(keyPath, keyOrigin);
      walk(pair.value, next, keyPath, keyOrigin);
    }
  }

  function readLeaf(node: object, place: Shape, path: SettingPath, origin: Origin): void {
    const { option } = place;
    if (option === undefined) return;
    const base: Omit<Setting, 'raw' | 'itemOrigins'> = {
      path,
      option,
      origin,
      base: source.base,
      isWithheld: false,
    };
    const single = scalarText(node);
    if (single !== undefined) {
      settings.set({ ...base, raw: single, itemOrigins: [] });
      return;
    }
    const items = isSeq(node)
      ? node.items.map((item) => (isAlias(item) ? item.resolve(document) : item))
      : [];
    const texts = items.map(scalarText).filter((text) => text !== undefined);
    if (!isSeq(node) || texts.length !== items.length) {
      issues.push(problem(origin, `${showPath(path)} must be a ${option.kind.name}`));
      return;
    }
    settings.set({ ...base, raw: texts, itemOrigins: node.items.map((item) => originOf(item, origin)) });
  }
}

/** The text of a scalar as it is written: `0123` and `1.10` stay what they are. */
function scalarText(node: unknown): string | undefined {
  if (!isScalar(node) || node.value === null) return undefined;
  return node.source ?? String(node.value);
}

function unknownKeyHint(key: string, place: Shape, root: Shape): string {
  const close = nearest(key, place.children.keys());
  if (close !== undefined) return `Did you mean "${close}"?`;
  const elsewhere = findByLastKey(key, root);
  if (elsewhere !== undefined) return `Did you mean ${elsewhere}?`;
  return keysHint(place);
}

function keysHint(place: Shape): string {
  const keys = [...place.children.keys()];
  return keys.length === 0 ? 'Write "name: value".' : `Known here: ${keys.join(', ')}.`;
}

function findByLastKey(key: string, place: Shape): string | undefined {
  for (const [name, child] of place.children) if (name === key) return child.path;
  for (const child of [...place.children.values(), ...(place.any === undefined ? [] : [place.any])]) {
    const found = findByLastKey(key, child);
    if (found !== undefined) return found;
  }
  return undefined;
}
