import { type DiffPart, diffLines, diffWords } from '#integrity/word-diff.ts';
import { isStringArray, type JsonObject, type JsonValue, stringAt } from '#kernel/json.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { askIntegrity, objectsAt } from '../integrity-source.ts';
import type { Output } from '../output.ts';
import { visibleText } from '../visible-text.ts';

const shownPrint = 12;

/** Shows what changed, for a person to judge. Exit code 1: something has. */
export async function integrityDiff(invocation: Invocation): Promise<number> {
  const { args, options, output } = invocation;
  const names = args[0] === undefined ? undefined : [args[0]];
  const answer = await askIntegrity(invocation, 'diff', {
    names,
    backend: options.text('backend'),
    kind: options.text('kind'),
  });
  const items = objectsAt(answer, 'items');
  if (output.isJson) output.document(answer);
  else for (const item of items) tell(item, output, answer.signedBy === 'operator');
  if (items.length === 0 && !output.isJson) output.note('Everything is as it was accepted.');
  return items.length === 0 ? exitCodes.done : exitCodes.no;
}

function tell(item: JsonObject, output: Output, isSignedElsewhere: boolean): void {
  const text = (key: string) => visibleText(stringAt(item, key) ?? '-');
  output.line(
    output.paint('bold', `${text('kind')} ${text('shownAs')} of ${text('backend')}: ${text('state')}`),
  );
  const changes = objectsAt(item, 'changes');
  for (const { field, before, after } of changes) {
    output.line(`  ${visibleText(String(field))}`);
    for (const line of changeLines(before, after, item.isTextKept === true, output))
      output.line(`    ${line}`);
  }
  const print = text('print').slice(0, shownPrint);
  const draft = isSignedElsewhere ? ' --draft baseline.draft' : '';
  output.note(
    `  To accept exactly this: cortex integrity approve ${text('shownAs')} --print ${print}${draft}`,
  );
}

function changeLines(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  isTextKept: boolean,
  output: Output,
): readonly string[] {
  if (!isTextKept)
    return [
      `now: ${after === undefined ? 'nothing' : shown(after)}`,
      'before: not kept, it was one person’s',
    ];
  if (before === undefined && after === undefined) return [];
  if (typeof before === 'string' && typeof after === 'string')
    return paintWords(diffWords(visibleText(before), visibleText(after)), output).split('\n');
  const old = before === undefined ? '' : `${shown(before)}\n`;
  const now = after === undefined ? '' : `${shown(after)}\n`;
  return diffLines(old, now).flatMap((part) => paintLines(part, output));
}

function shown(value: JsonValue): string {
  return visibleText(typeof value === 'string' ? value : JSON.stringify(sorted(value), undefined, 2));
}

/** Keys in order, so that only real differences show. */
function sorted(value: JsonValue): JsonValue {
  if (isStringArray(value) || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, inner === undefined ? inner : sorted(inner)]),
  );
}

function paintWords(parts: readonly DiffPart[], output: Output): string {
  return parts
    .map(({ kind, text }) => {
      if (kind === 'same') return text;
      const word = text.trimStart();
      const space = text.slice(0, text.length - word.length);
      return kind === 'removed'
        ? `${space}${output.paint('red', `[-${word}-]`)}`
        : `${space}${output.paint('green', `{+${word}+}`)}`;
    })
    .join('');
}

function paintLines({ kind, text }: DiffPart, output: Output): readonly string[] {
  const lines = text.replace(/\n$/, '').split('\n');
  if (kind === 'same') return lines.map((line) => `  ${line}`);
  const [style, sign] = kind === 'removed' ? (['red', '-'] as const) : (['green', '+'] as const);
  return lines.map((line) => output.paint(style, `${sign} ${line}`));
}
