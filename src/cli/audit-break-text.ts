import type { AuditBreak } from '#audit/audit-break.ts';
import { printable } from '#config/issue.ts';
import type { Output } from './output.ts';

/** Says on stderr where the chain does not hold. */
export function warnOfBreak(output: Output, { file, line, reason, message }: AuditBreak): void {
  output.warn(`${output.paint('red', 'broken:')} ${file}:${line}: ${reason}: ${printable(message)}`);
}
