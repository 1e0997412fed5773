import { cefLine } from '#audit/cef.ts';
import type { AuditRecord } from '#audit/line.ts';
import { ocsfEvent } from '#audit/ocsf.ts';
import { type AuditFilter, matches, readAudit } from '#audit/reader.ts';
import { scanAudit } from '#audit/scan.ts';
import { warnOfBreak } from '../audit-break-text.ts';
import { filterOf } from '../audit-filter.ts';
import { type AuditSource, findAudit } from '../audit-source.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { release } from '../release.ts';
import { untilStopped } from '../until-stopped.ts';

/** How a record is written; undefined leaves it out. */
type Form = (record: AuditRecord, filter: AuditFilter) => string | undefined;

const forms: Readonly<Record<string, Form>> = {
  jsonl: (record, filter) => (matches(record, filter) ? JSON.stringify(record.fields) : undefined),
  ocsf: (record, filter) =>
    matches(record, filter) ? JSON.stringify(ocsfEvent(record, release.version)) : undefined,
  cef: (record, filter) => (matches(record, filter) ? cefLine(record, release.version) : undefined),
  anchors: ({ kind, fields }) => (kind === 'checkpoint' ? JSON.stringify(fields) : undefined),
};
const formNames = Object.keys(forms);

/** Writes records in another form, one a line. Exit code 1: the chain does not hold somewhere in what was read. */
export async function auditExport(invocation: Invocation): Promise<number> {
  const { options, output } = invocation;
  const name = options.text('format') ?? 'jsonl';
  const form = Object.hasOwn(forms, name) ? forms[name] : undefined;
  if (form === undefined) throw new UserError(`--format takes ${formNames.join(', ')}`);
  const follow = options.has('follow');
  if (follow && name === 'anchors') {
    throw new UserError('--follow goes with records, not with anchors', {
      next: 'let the gateway send them: audit.anchors',
    });
  }
  const filter = filterOf(options);
  const source = await findAudit(invocation);
  const work = { output, form, filter, ...source };
  return (await (follow ? followed(work) : scanned(work))) ? exitCodes.done : exitCodes.no;
}

interface Work extends AuditSource {
  readonly output: Output;
  readonly form: Form;
  readonly filter: AuditFilter;
}

/** True: the chain held. */
async function scanned({ output, form, filter, dir, verifier }: Work): Promise<boolean> {
  let isWhole = true;
  await scanAudit({
    dir,
    verifier,
    since: filter.since,
    onRecord(record) {
      const text = form(record, filter);
      if (text !== undefined) output.line(text);
    },
    onBreak(broken) {
      isWhole = false;
      warnOfBreak(output, broken);
    },
  });
  return isWhole;
}

async function followed({ output, form, filter, dir, verifier }: Work): Promise<boolean> {
  const stop = new AbortController();
  void untilStopped().then(() => stop.abort());
  let isWhole = true;
  const events = readAudit({ dir, filter, last: undefined, follow: true, verifier, signal: stop.signal });
  for await (const event of events) {
    if (event.kind === 'break') {
      isWhole = false;
      warnOfBreak(output, { ...event, ...event.problem });
      continue;
    }
    const text = form(event.record, filter);
    if (text !== undefined) output.line(text);
  }
  return isWhole;
}
