import { type Issue, type Origin, problem } from './issue.ts';
import { nearest } from './nearest.ts';
import { readPlainYaml } from './plain-yaml.ts';
import { type Setting, type SettingPath, type Settings, showPath } from './settings.ts';
import type { Shape } from './shape.ts';
import type { YamlNode, YamlText } from './yaml-node.ts';

const maxNodes = 20_000;

interface YamlFile {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
  /** The folder that relative paths count from. */
  readonly base: string;
}

/** The whole parser is loaded only for a file that needs it. */
export async function readYaml(
  source: YamlFile,
  shape: Shape,
  settings: Settings,
): Promise<readonly Issue[]> {
  const plain = readPlainYaml(source.text);
  if (plain !== undefined)
    return walkYaml(source, { root: plain, faults: [], isBroken: false }, shape, settings);
  const { readFullYaml } = await import('./full-yaml.ts');
  return walkYaml(source, readFullYaml(source.text), shape, settings);
}

/**
 * Puts every value of the file into `settings` and returns everything that has no place there. The nodes are walked
 * along the tree of options, so aliases can unfold no further than that tree is deep.
 */
function walkYaml(source: YamlFile, text: YamlText, shape: Shape, settings: Settings): readonly Issue[] {
  const issues: Issue[] = [];
  let nodesLeft = maxNodes;

  const at = (line: number): Origin => ({ kind: 'file', file: source.file, line });
  const originOf = (node: YamlNode, otherwise: Origin): Origin =>
    node.line === undefined ? otherwise : at(node.line);

  for (const { line, message } of text.faults) {
    issues.push(problem(at(line), `not valid YAML: ${message.replace(/\.$/, '')}`));
  }
  if (text.isBroken) return issues;
  walk(text.root, shape, [], at(1));
  return issues;

  function walk(node: YamlNode, place: Shape, path: SettingPath, origin: Origin): void {
    nodesLeft -= 1;
    if (nodesLeft === 0) issues.push(problem(origin, `the file holds more than ${maxNodes} values`));
    const isEmpty = node.scalar === undefined && node.pairs === undefined && node.items === undefined;
    if (nodesLeft <= 0 || isEmpty) return;
    const read = place.option !== undefined ? readLeaf : place.isList ? walkList : walkMap;
    read(node, place, path, origin);
  }

  function walkList(node: YamlNode, place: Shape, path: SettingPath, origin: Origin): void {
    if (node.items === undefined || place.any === undefined) {
      issues.push(problem(origin, `${showPath(path)} must be a list`, 'Begin each item with "- ".'));
      return;
    }
    for (const [index, item] of node.items().entries()) {
      const itemPath = [...path, String(index)];
      const itemOrigin = originOf(item, origin);
      settings.addMember(itemPath, itemOrigin);
      walk(item, place.any, itemPath, itemOrigin);
    }
  }

  function walkMap(node: YamlNode, place: Shape, path: SettingPath, origin: Origin): void {
    if (node.pairs === undefined) {
      const name = path.length === 0 ? 'the file' : showPath(path);
      issues.push(problem(origin, `${name} must hold keys and values`, keysHint(place)));
      return;
    }
    const seen = new Set<string>();
    for (const pair of node.pairs()) {
      const keyOrigin = originOf(pair.key, origin);
      const key = pair.key.scalar;
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

  function readLeaf(node: YamlNode, place: Shape, path: SettingPath, origin: Origin): void {
    const { option } = place;
    if (option === undefined) return;
    const base: Omit<Setting, 'raw' | 'itemOrigins'> = {
      path,
      option,
      origin,
      base: source.base,
      isWithheld: false,
    };
    if (node.scalar !== undefined) {
      settings.set({ ...base, raw: node.scalar, itemOrigins: [] });
      return;
    }
    const items = node.items?.() ?? [];
    const texts = items.map(({ scalar }) => scalar).filter((text) => text !== undefined);
    if (node.items === undefined || texts.length !== items.length) {
      issues.push(problem(origin, `${showPath(path)} must be a ${option.kind.name}`));
      return;
    }
    settings.set({ ...base, raw: texts, itemOrigins: items.map((item) => originOf(item, origin)) });
  }
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
