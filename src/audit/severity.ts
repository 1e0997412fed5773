import type { AuditRecord } from './line.ts';

/** How much a record calls for somebody's eyes. */
export type Severity = 'informational' | 'low' | 'medium' | 'high';

/** Somebody was named, or records were lost: high. Refused, or something was changed by an operator: medium. An error: low. */
export function severityOf({ kind, fields }: AuditRecord): Severity {
  if (kind === 'reveal' || fields.action === 'audit.records_lost') return 'high';
  if (kind === 'admin') return fields.actor === 'gateway' ? 'informational' : 'medium';
  if (fields.outcome === 'refused') return 'medium';
  return fields.outcome === 'error' ? 'low' : 'informational';
}
