import type { JsonObject, JsonValue } from '#kernel/json.ts';
import { PARAM_HEADER_KEY, type ParamHeader } from '#wire/param-headers.ts';
import type { CatalogTool } from './snapshot.ts';

const MAX_DESCRIPTION_LENGTH = 160;

/**
 * A tool as a list in search mode shows it: title, one line of description, annotations, and an input schema
 * of `type: "object"` with exactly the `x-mcp-header` properties, which clients need before they may call (R4).
 * Holds no `name`, like the `wire` it is made from.
 */
export function compactTool(tool: Pick<CatalogTool, 'definition' | 'paramHeaders'>): JsonObject {
  const { title, annotations } = tool.definition.wire;
  const { description } = tool.definition;
  return {
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description: firstSentence(description) }),
    inputSchema: headerSchema(tool.paramHeaders.map((header) => ({ header, rest: header.path }))),
    ...(annotations !== undefined && { annotations }),
  };
}

/** The first sentence or line, cut at a word where it is longer than 160 characters. */
export function firstSentence(description: string): string {
  const start = description.trimStart().slice(0, MAX_DESCRIPTION_LENGTH + 1);
  const end = /[.!?](?=\s)|[\r\n]/.exec(start);
  if (end !== null) return start.slice(0, end.index + (end[0].trim() === '' ? 0 : 1)).trim();
  if (start.length <= MAX_DESCRIPTION_LENGTH) return start.trim();
  const cut = start.slice(0, MAX_DESCRIPTION_LENGTH - 1);
  const lastSpace = cut.lastIndexOf(' ');
  const whole = lastSpace > MAX_DESCRIPTION_LENGTH / 2 ? cut.slice(0, lastSpace) : cut;
  // A cut may fall between the halves of a surrogate pair, which no JSON text may carry alone.
  return `${whole.replace(/[\uD800-\uDBFF]$/, '')}…`;
}

interface Branch {
  readonly header: ParamHeader;
  /** What is left of the path from here. */
  readonly rest: readonly string[];
}

function headerSchema(branches: readonly Branch[]): JsonObject {
  if (branches.length === 0) return { type: 'object' };
  const byName = new Map<string, Branch[]>();
  for (const { header, rest } of branches) {
    const [name, ...next] = rest;
    if (name === undefined) continue;
    const branch = { header, rest: next };
    const siblings = byName.get(name);
    if (siblings === undefined) byName.set(name, [branch]);
    else siblings.push(branch);
  }
  const properties = [...byName].map(([name, below]): [string, JsonValue] => [name, propertySchema(below)]);
  return { type: 'object', properties: Object.fromEntries(properties) };
}

function propertySchema(below: readonly Branch[]): JsonObject {
  const leaf = below.find(({ rest }) => rest.length === 0);
  if (leaf === undefined) return headerSchema(below);
  return { type: leaf.header.type, [PARAM_HEADER_KEY]: leaf.header.header };
}
