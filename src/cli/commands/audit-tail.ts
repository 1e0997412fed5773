import type { AuditRecord } from '#audit/line.ts';
import { type AuditEvent, readAudit } from '#audit/reader.ts';
import { printable } from '#config/issue.ts';
import { warnOfBreak } from '../audit-break-text.ts';
import { filterOf } from '../audit-filter.ts';
import { findAudit } from '../audit-source.ts';
import { watchAudit } from '../audit-watch.ts';
import type { GivenOptions, Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { screenFor } from '../may-draw.ts';
import type { Output, Style } from '../output.ts';
import { untilStopped } from '../until-stopped.ts';

const defaultLines = 10;
const shownFirst = new Set(['v', 'kind', 'chain', 'seq', 'time', 'prev']);

/** Shows records, and follows them. Exit code 1: the chain does not hold somewhere in what was read. */
export async function auditTail(invocation: Invocation): Promise<number> {
  const { options, output } = invocation;
  const filter = filterOf(options);
  const given = linesOf(options);
  const source = await findAudit(invocation);
  const screen = screenFor(invocation);
  if (screen !== undefined) return watchAudit(invocation, screen, source, filter, given);
  const { dir, verifier } = source;
  const last = given ?? (filter.since === undefined ? defaultLines : undefined);
  const stop = new AbortController();
  const follow = options.has('follow');
  if (follow) void untilStopped().then(() => stop.abort());
  let isWhole = true;
  for await (const event of readAudit({ dir, filter, last, follow, verifier, signal: stop.signal })) {
    if (event.kind === 'break') isWhole = false;
    show(output, event);
  }
  return isWhole ? exitCodes.done : exitCodes.no;
}

function show(output: Output, event: AuditEvent): void {
  if (event.kind === 'record') {
    if (output.isJson) output.jsonLine(event.record.fields);
    else output.line(lineOf(output, event.record));
    return;
  }
  const { file, line, problem } = event;
  if (output.isJson)
    output.jsonLine({ kind: 'break', file, line, reason: problem.reason, message: problem.message });
  else warnOfBreak(output, { file, line, ...problem });
}

function lineOf(output: Output, { kind, time, fields }: AuditRecord): string {
  const text = (key: string) => printable(String(fields[key] ?? '-'));
  if (kind !== 'call') {
    const rest = Object.entries(fields).filter(([key]) => !shownFirst.has(key));
    const words = rest.map(
      ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
    return [printable(time), output.paint('bold', printable(kind)), printable(words.join(' '))].join(' ');
  }
  const outcome = text('outcome');
  const code = fields.code === 'ok' ? '' : ` ${text('code')}`;
  return [
    printable(time),
    output.paint(styleOf(outcome), outcome.padEnd(7)),
    text('method'),
    text('tool'),
    `on ${text('backend')} (${text('mode')})`,
    `for ${text('user')} via ${text('agent')}`,
    `${text('ms')} ms${code}`,
  ].join(' ');
}

function styleOf(outcome: string): Style {
  if (outcome === 'ok') return 'green';
  return outcome === 'error' ? 'red' : 'yellow';
}

function linesOf(options: GivenOptions): number | undefined {
  const given = options.text('lines');
  if (given === undefined || /^\d{1,7}$/.test(given)) return given === undefined ? undefined : Number(given);
  throw new UserError(`--lines ${given} is no count`, { next: 'cortex audit tail -n 100' });
}
