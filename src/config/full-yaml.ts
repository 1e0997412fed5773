import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { YamlNode, YamlText } from './yaml-node.ts';

/**
 * Reads any YAML. The file's own objects are never built, so a key can reach no prototype. Keys are not compared: the
 * parser's own way to find one that is there twice takes a minute for 50,000 keys.
 */
export function readFullYaml(text: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const lineOf = (offset: number) => Math.max(1, lines.linePos(offset).line);

  function nodeOf(written: unknown, mayUnfold = true): YamlNode {
    const isNode = isScalar(written) || isMap(written) || isSeq(written) || isAlias(written);
    const line = isNode && written.range ? lineOf(written.range[0]) : undefined;
    const node = isAlias(written) && mayUnfold ? written.resolve(document) : written;
    if (isMap(node)) {
      const pairs = () =>
        node.items.map((pair) => ({ key: nodeOf(pair.key, false), value: nodeOf(pair.value) }));
      return { line, pairs };
    }
    if (isSeq(node)) return { line, items: () => node.items.map((item) => nodeOf(item)) };
    if (isScalar(node) && node.value !== null) return { line, scalar: node.source ?? String(node.value) };
    return { line };
  }

  return {
    root: nodeOf(document.contents),
    faults: [...document.errors, ...document.warnings].map((fault) => ({
      line: lineOf(fault.pos[0]),
      message: fault.message,
    })),
    isBroken: document.errors.length > 0,
  };
}
