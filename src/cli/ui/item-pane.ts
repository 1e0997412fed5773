import { isJsonObject } from '#kernel/json.ts';
import { holdsAll } from '#kernel/principal.ts';
import type { CatalogItem, CatalogPlan } from './catalog-items.ts';
import { bold, emptyLine, fitText, type Line, type Span, span } from './line.ts';
import { flatText, wrappedText } from './outside-text.ts';
import { type Parameter, promptParameters, schemaParameters } from './parameters.ts';

/** Everything about one item, as rows of that width. */
export function itemPane(
  item: CatalogItem,
  plans: readonly CatalogPlan[],
  isRaw: boolean,
  width: number,
): readonly Line[] {
  const { wire } = item;
  const head = [[bold(fitText(item.name, width).trimEnd(), 'accent')], about(item)];
  if (item.hiddenBecause !== undefined) return [...head, emptyLine, ...whyHidden(item, width)];
  if (isRaw) return [...head, emptyLine, ...json(wire, width)];
  const text = typeof wire.description === 'string' ? wire.description : '';
  return [
    ...head,
    emptyLine,
    ...(text.trim() === '' ? [] : [...wrappedText(text, width).map((row) => [span(row)]), emptyLine]),
    ...facts(item, plans, width),
    ...parameters(item, width),
  ];
}

function about({ kind, backend, bytes, wire }: CatalogItem): Line {
  const size = bytes === 0 ? '' : ` · ${bytes.toLocaleString('en')} bytes`;
  const words: Span[] = [span(`${kind} of ${backend}${size}`, 'soft')];
  if (kind !== 'tool' || bytes === 0) return words;
  const annotations = isJsonObject(wire.annotations) ? wire.annotations : {};
  if (annotations.readOnlyHint === true) return [...words, span(' · ', 'soft'), span('reads only', 'good')];
  if (annotations.destructiveHint === true)
    return [...words, span(' · ', 'soft'), span('may destroy', 'bad')];
  return words;
}

function facts({ scopes }: CatalogItem, plans: readonly CatalogPlan[], width: number): readonly Line[] {
  const needed = [bold('Scopes  ', 'soft'), span(fitText(scopes.join(' '), width - 8).trimEnd())];
  if (plans.length === 0) return [needed, emptyLine];
  const held = plans.flatMap(({ name, scopes: held }): readonly Span[] => {
    const sees = holdsAll(held, scopes);
    return [span(sees ? '✓ ' : '· ', sees ? 'good' : 'soft'), span(`${name}  `, sees ? undefined : 'soft')];
  });
  return [needed, [bold('Plans   ', 'soft'), ...held], emptyLine];
}

function parameters({ kind, wire }: CatalogItem, width: number): readonly Line[] {
  if (kind !== 'tool' && kind !== 'prompt') return [];
  const all = kind === 'tool' ? schemaParameters(wire.inputSchema) : promptParameters(wire);
  if (all.length === 0) return [[span('No parameters.', 'soft')]];
  const names = Math.min(28, Math.max(...all.map(({ name }) => Bun.stringWidth(name))) + 1);
  return [
    [bold('Parameters', 'soft'), span('  * needed', 'soft')],
    ...all.flatMap((one) => parameter(one, names, width)),
  ];
}

function parameter(
  { name, type, isRequired, description }: Parameter,
  names: number,
  width: number,
): readonly Line[] {
  const head: Line = [
    span(fitText(`${name}${isRequired ? '*' : ''}`, names + 2)),
    span(fitText(type, Math.max(4, width - names - 2)).trimEnd(), 'accent'),
  ];
  if (description === '') return [head];
  return [head, ...wrappedText(description, width - 2).map((row) => [span(`  ${row}`, 'soft')])];
}

function whyHidden({ kind, name, hiddenBecause = '' }: CatalogItem, width: number): readonly Line[] {
  const isQuarantined = hiddenBecause.startsWith('quarantined');
  const why = isQuarantined
    ? 'Its definition is not the one that was accepted, so nobody sees it until somebody accepts it.'
    : 'It is left out of every list.';
  const next = isQuarantined
    ? `cortex integrity diff ${name}`
    : kind === 'tool'
      ? `cortex catalog --why ${name}`
      : undefined;
  return [
    [bold(hiddenBecause, 'warn')],
    emptyLine,
    ...wrappedText(why, width).map((row) => [span(row)]),
    ...(next === undefined
      ? []
      : [emptyLine, [span('next: ', 'soft'), span(fitText(next, width - 6).trimEnd())]]),
  ];
}

/** Keys in their own colour. */
function json(value: object, width: number): readonly Line[] {
  const rows = wrappedText(JSON.stringify(value, undefined, 2), width);
  return rows.map((row) => {
    const match = /^(\s*)("(?:[^"\\]|\\.)*":)(.*)$/.exec(row);
    if (match === null) return [span(flatRow(row))];
    const [, indent = '', key = '', rest = ''] = match;
    return [span(indent), span(key, 'accent'), span(flatRow(rest))];
  });
}

/** Already safe; only never longer than a row may be. */
function flatRow(row: string): string {
  return row.trim() === '' ? row : row.replace(/\S[\s\S]*$/, flatText);
}
