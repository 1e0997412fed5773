import type { AnyOption } from './option.ts';
import { allOptions } from './options.ts';
import { type Shape, shapeOf } from './shape.ts';

/** Names for the keys that the operator chooses. */
const exampleKeys: ReadonlyMap<string, string> = new Map([
  ['plans.<plan>', 'pro'],
  ['backends.<id>', 'notes'],
  ['servers.<id>', 'linear'],
  ['servers.<id>.env.<NAME>', 'API_KEY'],
  ['audit.anchors.otlp.headers.<name>', 'authorization'],
  ['servers.<id>.scopes.tools.<glob>', '"create_*"'],
  ['auth.scope_implies.<scope>', 'mcp:notes:write'],
  ['limits.tool_calls_per_minute.<glob>', '"*_delete_*"'],
  ['admin.tokens.<name>', 'dashboard'],
  ['limits.plan_calls_per_minute.<plan>', 'pro'],
]);

/** An example `cortex.yaml` that loads: what most need is set, everything else stands in comments with its default. */
export function exampleYaml(): string {
  return `# Cortex Gateway. Every setting there is; docs/configuration.md says more.\n${lines(shapeOf(allOptions), '').join('\n')}\n`;
}

function lines(shape: Shape, indent: string): readonly string[] {
  const named = [...shape.children].map(([key, child]) => [key, child] as const);
  const chosen = shape.any === undefined ? [] : [[exampleKeys.get(shape.any.path) ?? '', shape.any] as const];
  return [...named, ...chosen].flatMap(([key, child]) => entry(key, child, indent));
}

function entry(key: string, shape: Shape, indent: string): readonly string[] {
  if (shape.option !== undefined) return leaf(key, shape.option, indent);
  const mark = isShown(shape) ? '' : '# ';
  if (shape.isList && shape.any !== undefined) {
    const [first = '', ...rest] = lines(shape.any, `${indent}    `);
    return [`${indent}${mark}${key}:`, first.replace(`${indent}    `, `${indent}  - `), ...rest];
  }
  return [`${indent}${mark}${key}:`, ...lines(shape, `${indent}  `)];
}

function leaf(key: string, option: AnyOption, indent: string): readonly string[] {
  const value = option.example ?? fallbackYaml(option);
  const mark = option.example === undefined ? '# ' : '';
  const line = `${indent}${mark}${key}:${value === '' ? '' : ` ${value}`}`;
  return [`${line}${' '.repeat(Math.max(1, 52 - line.length))}# ${option.description}`];
}

function fallbackYaml(option: AnyOption): string {
  if (option.fallbackText !== undefined || option.fallback === undefined) return '';
  const shown = option.kind.show(option.fallback);
  return typeof shown === 'string' ? shown : JSON.stringify(shown);
}

function isShown(shape: Shape): boolean {
  if (shape.option !== undefined) return shape.option.example !== undefined;
  return [...shape.children.values(), ...(shape.any === undefined ? [] : [shape.any])].some(isShown);
}
