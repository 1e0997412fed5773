import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type AnchorLedger, readAnchors } from '#audit/anchor-ledger.ts';
import type { AuditBreak } from '#audit/audit-break.ts';
import { type AuditReport, verifyAudit } from '#audit/verify.ts';
import type { ChainReport } from '#audit/walk-chain.ts';
import { printable } from '#config/issue.ts';
import type { JsonValue } from '#kernel/json.ts';
import type { Verifier } from '#keys/signer.ts';
import { findAudit } from '../audit-source.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, type Output } from '../output.ts';

/** Checks the audit. Exit codes: 0 intact, 1 broken, 4 records without a signature (or an anchor, where those are given), or none. */
export async function auditVerify(invocation: Invocation): Promise<number> {
  const { output } = invocation;
  const { dir, verifier, publicKeys } = await findAudit(invocation);
  // Before the files: they only grow, so what is read after them could speak of records they do not have yet.
  const ledger = await givenAnchors(invocation, verifier);
  const report = await output.during('checking the audit', () => verifyAudit(dir, verifier, ledger));
  if (output.isJson) output.document(reportJson(dir, publicKeys, report, ledger));
  else showReport(output, report);
  if (ledger !== undefined) {
    const again = ledger.repeated === 0 ? '' : `, ${ledger.repeated} of them again`;
    output.note(`${count(ledger.count, 'anchor')} of ${count(ledger.chains.size, 'chain')}${again}`);
  }
  output.note(
    `${count(report.records, 'record')} in ${dir}, checked with the public key ${publicKeys.join(', ')}`,
  );
  switch (report.status) {
    case 'intact':
      return exitCodes.done;
    case 'broken':
      return exitCodes.no;
    case 'unanchored':
      return exitCodes.unanchored;
  }
}

async function givenAnchors(
  { options, terminal }: Invocation,
  verifier: Verifier,
): Promise<AnchorLedger | undefined> {
  const files = options.list('anchors').map((file) => resolve(terminal.cwd, file));
  if (files.length === 0) return undefined;
  const missing = files.find((file) => statSync(file, { throwIfNoEntry: false })?.isFile() !== true);
  if (missing !== undefined) {
    throw new UserError(`there is no file ${missing}`, {
      next: 'name the file that your webhook or collector writes',
    });
  }
  const ledger = await readAnchors(files, verifier);
  if (ledger.count > 0 || ledger.problems.length > 0) return ledger;
  throw new UserError(`no checkpoint stands in ${files.join(', ')}`, {
    next: 'name what audit.anchors sends to, or what `cortex audit export --format anchors` wrote',
  });
}

function showReport(output: Output, report: AuditReport): void {
  for (const chain of report.chains) {
    if (chain.broken !== undefined) showBreak(output, chain.broken);
    else output.line(`chain ${chain.chain}: ${extentOf(chain)}, ${endOf(output, chain)}`);
  }
  for (const problem of report.anchorProblems) showBreak(output, problem);
  output.line(report.records === 0 ? 'no records' : report.status);
}

function showBreak(output: Output, { file, line, reason, message }: AuditBreak): void {
  output.line(`${printable(file)}:${line}: ${output.paint('red', reason)}: ${printable(message)}`);
}

function extentOf(chain: ChainReport): string {
  const start = chain.isShortened ? ', what was before was removed by retention' : '';
  return `${count(chain.records, 'record')} in ${count(chain.files, 'file')} from ${chain.firstTime ?? '-'}${start}`;
}

function endOf(output: Output, chain: ChainReport): string {
  const signed = signedPhrase(chain);
  if (chain.unanchored === 0 && chain.tornBytes === 0) return `${signed} ${output.paint('green', 'intact')}`;
  const torn = chain.tornBytes === 0 ? '' : ` and ${chain.tornBytes} bytes of half a line`;
  return `${signed}, ${output.paint('yellow', `${count(chain.unanchored, 'record')}${torn} after that not`)}`;
}

function signedPhrase({ lastCheckpoint, lastAnchor }: ChainReport): string {
  if (lastCheckpoint === undefined) return 'nothing is signed';
  const anchored = lastAnchor === undefined ? '' : `, anchored up to ${lastAnchor.time}`;
  return `signed up to ${lastCheckpoint.time}${anchored}`;
}

function reportJson(
  dir: string,
  publicKeys: readonly string[],
  report: AuditReport,
  ledger: AnchorLedger | undefined,
): JsonValue {
  return {
    status: report.status,
    dir,
    public_keys: [...publicKeys],
    records: report.records,
    chains: report.chains.map((chain) => ({
      chain: chain.chain,
      files: chain.files,
      records: chain.records,
      first_seq: chain.firstSeq ?? null,
      first_time: chain.firstTime ?? null,
      last_checkpoint: chain.lastCheckpoint === undefined ? null : { ...chain.lastCheckpoint },
      last_anchor:
        chain.lastAnchor === undefined ? null : { seq: chain.lastAnchor.seq, time: chain.lastAnchor.time },
      unanchored: chain.unanchored,
      torn_bytes: chain.tornBytes,
      shortened: chain.isShortened,
      broken: chain.broken === undefined ? null : { ...chain.broken },
    })),
    anchors:
      ledger === undefined
        ? null
        : {
            count: ledger.count,
            repeated: ledger.repeated,
            problems: report.anchorProblems.map((problem) => ({ ...problem })),
          },
  };
}
