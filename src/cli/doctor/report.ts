import type { JsonValue } from '#kernel/json.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import type { Terminal } from '../terminal.ts';
import { visibleText } from '../visible-text.ts';
import type { Examined } from './examine.ts';
import type { FindingStatus } from './finding.ts';

const styles = {
  ok: 'green',
  warning: 'yellow',
  failed: 'red',
  unreachable: 'red',
  skipped: 'dim',
} as const satisfies Record<FindingStatus, string>;

const statusWidth = 11;
const stepWidth = 12;
/** Below it, what belongs to a step stands under its status. */
const wideColumns = 80;

/** One step for people. Names of issuers stand behind what is about them where there are several. */
export function showStep(
  output: Output,
  { step, issuer, finding }: Examined,
  { hasMany, terminal }: { readonly hasMany: boolean; readonly terminal: Terminal },
): void {
  const { status, found, fix, proxyLines = [], details = [] } = finding;
  const { columns, isInteractive } = terminal;
  const isWide = !isInteractive || columns >= wideColumns;
  const indent = ' '.repeat(isWide ? statusWidth + stepWidth + 2 : 2);
  // What is read by a program, or searched, is not broken.
  const width = isInteractive ? columns - indent.length : Number.POSITIVE_INFINITY;
  const below = (text: string) => {
    for (const line of wrapped(visibleText(text), width)) output.line(`${indent}${line}`);
  };
  const of = hasMany && issuer !== undefined ? ` [${issuer}]` : '';
  const head = `${output.paint(styles[status], status.padEnd(statusWidth))} ${step.padEnd(stepWidth)}`;
  const [first = '', ...rest] = wrapped(visibleText(found + of), width);
  if (isWide) output.line(`${head} ${first}`);
  else {
    output.line(head.trimEnd());
    output.line(`${indent}${first}`);
  }
  for (const line of rest) output.line(`${indent}${line}`);
  for (const detail of details) below(detail);
  if (fix !== undefined) below(`fix: ${fix}`);
  for (const { proxy, lines } of proxyLines) {
    output.line(`${indent}${output.paint('dim', `${proxy}:`)}`);
    for (const line of lines) output.line(`${indent}    ${line}`);
  }
}

function wrapped(text: string, width: number): readonly string[] {
  if (text.length <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
      continue;
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The one JSON document. */
export function reportOf(taken: readonly Examined[]): JsonValue {
  return {
    ok: firstFault(taken) === undefined,
    steps: taken.map(({ step, issuer, finding }) => ({
      step,
      issuer: issuer ?? null,
      status: finding.status,
      found: finding.found,
      fix: finding.fix ?? null,
      proxy: (finding.proxyLines ?? []).map(({ proxy, lines }) => ({ proxy, lines: [...lines] })),
      details: [...(finding.details ?? [])],
    })),
  };
}

/** The first step that stands in somebody's way. */
export function firstFault(taken: readonly Examined[]): Examined | undefined {
  return taken.find(({ finding: { status } }) => status === 'failed' || status === 'unreachable');
}

export function exitCodeOf(taken: readonly Examined[]): number {
  const status = firstFault(taken)?.finding.status;
  if (status === undefined) return exitCodes.done;
  return status === 'unreachable' ? exitCodes.unreachable : exitCodes.no;
}
