import type { VisibleCatalog } from '#catalog/visibility.ts';
import { printable } from '#config/issue.ts';
import { exitCodes } from './exit-codes.ts';
import { count, type Output } from './output.ts';

/** Anything listed, by its public name or URI. */
interface Named {
  readonly kind: 'tool' | 'prompt' | 'resource' | 'template';
  readonly name: string;
}

/** What the first of two sees and the second does not, and the other way round. */
export function showDifference(
  output: Output,
  [first, second]: readonly [string, string],
  [before, after]: readonly [VisibleCatalog, VisibleCatalog],
): number {
  const [ours, theirs] = [namedIn(before), namedIn(after)];
  const removed = without(ours, theirs);
  const added = without(theirs, ours);
  const [tools, others] = [before.tools.length, after.tools.length];
  const both = tools - removed.filter(isTool).length;
  if (output.isJson) {
    const names = (all: readonly Named[]) => all.filter(isTool).map(({ name }) => name);
    const rest = (all: readonly Named[]) => all.filter((one) => !isTool(one)).map((one) => ({ ...one }));
    output.document({
      first,
      second,
      onlyFirst: names(removed),
      onlySecond: names(added),
      both,
      others: { onlyFirst: rest(removed), onlySecond: rest(added) },
    });
    return exitCodes.done;
  }
  for (const one of removed) output.line(output.paint('red', `- ${textOf(one)}`));
  for (const one of added) output.line(output.paint('green', `+ ${textOf(one)}`));
  output.note(`${first}: ${count(tools, 'tool')}; ${second}: ${others}; both: ${both}.`);
  return exitCodes.done;
}

function namedIn({ tools, prompts, resources, templates }: VisibleCatalog): readonly Named[] {
  return [
    ...tools.map(({ publicName: name }) => ({ kind: 'tool' as const, name })),
    ...prompts.map(({ publicName: name }) => ({ kind: 'prompt' as const, name })),
    ...resources.map(({ uri: name }) => ({ kind: 'resource' as const, name })),
    ...templates.map(({ uriTemplate: name }) => ({ kind: 'template' as const, name })),
  ];
}

function without(all: readonly Named[], some: readonly Named[]): readonly Named[] {
  const keys = new Set(some.map(({ kind, name }) => `${kind} ${name}`));
  return all.filter(({ kind, name }) => !keys.has(`${kind} ${name}`));
}

function isTool({ kind }: Named): boolean {
  return kind === 'tool';
}

/** A tool is what one looks for; anything else says what it is. */
function textOf({ kind, name }: Named): string {
  return kind === 'tool' ? printable(name) : `${kind} ${printable(name)}`;
}
