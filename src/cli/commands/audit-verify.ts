import { type AuditReport, type ChainReport, verifyAudit } from '#audit/verify.ts';
import type { JsonValue } from '#kernel/json.ts';
import { findAudit } from '../audit-source.ts';
import type { Invocation } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, type Output } from '../output.ts';

/** Checks the audit. Exit codes: 0 intact, 1 broken, 4 records without a signature, or none. */
export async function auditVerify(invocation: Invocation): Promise<number> {
  const { output } = invocation;
  const { dir, verifier, publicKeys } = await findAudit(invocation);
  const report = await verifyAudit(dir, verifier);
  if (output.isJson) output.document(reportJson(dir, publicKeys, report));
  else showReport(output, report);
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

function showReport(output: Output, report: AuditReport): void {
  for (const chain of report.chains) {
    const { broken } = chain;
    if (broken !== undefined) {
      output.line(`${broken.file}:${broken.line}: ${output.paint('red', broken.reason)}: ${broken.message}`);
      continue;
    }
    output.line(`chain ${chain.chain}: ${extentOf(chain)}, ${endOf(output, chain)}`);
  }
  output.line(report.records === 0 ? 'no records' : report.status);
}

function extentOf(chain: ChainReport): string {
  const start = chain.isShortened ? ', what was before was removed by retention' : '';
  return `${count(chain.records, 'record')} in ${count(chain.files, 'file')} from ${chain.firstTime ?? '-'}${start}`;
}

function endOf(output: Output, chain: ChainReport): string {
  const signed =
    chain.lastCheckpoint === undefined ? 'nothing is signed' : `signed up to ${chain.lastCheckpoint.time}`;
  if (chain.unanchored === 0 && chain.tornBytes === 0) return `${signed} ${output.paint('green', 'intact')}`;
  const torn = chain.tornBytes === 0 ? '' : ` and ${chain.tornBytes} bytes of half a line`;
  return `${signed}, ${output.paint('yellow', `${count(chain.unanchored, 'record')}${torn} after that not`)}`;
}

function reportJson(dir: string, publicKeys: readonly string[], report: AuditReport): JsonValue {
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
      unanchored: chain.unanchored,
      torn_bytes: chain.tornBytes,
      shortened: chain.isShortened,
      broken: chain.broken === undefined ? null : { ...chain.broken },
    })),
  };
}
