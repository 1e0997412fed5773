import { isJsonObject, type JsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** What a record is about. The format of each is in docs/audit.md. */
export type AuditKind = 'call' | 'link' | 'admin' | 'reveal' | 'checkpoint' | 'tombstone';

/** One line of the audit, read back. `kind` stays open: a later version may have written it. */
export interface AuditRecord {
  readonly kind: string;
  readonly chain: string;
  readonly seq: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly time: string;
  /** The hash of the line before. */
  readonly prev: string;
  /** The whole line as JSON, the fields above included. */
  readonly fields: JsonObject;
}

/** SHA-256 of a line's bytes, without its newline, as base64url. */
export function hashLine(line: string | Uint8Array): string {
  return Bun.SHA256.hash(line, 'base64url');
}

/** What the first line of a chain links to. */
export function genesisHash(chain: string): string {
  return Bun.SHA256.hash(`cortex audit chain ${chain}`, 'base64url');
}

/** The kinds that carry a signature of their own. */
export type SignedKind = Extract<AuditKind, 'checkpoint' | 'tombstone'>;

/** The bytes a checkpoint or tombstone signs: its own line up to the signature, which ends it. */
export function signedPart(kind: SignedKind, line: string): Buffer {
  const end = line.lastIndexOf(',"sig":"');
  return Buffer.from(`cortex audit ${kind} ${end < 0 ? line : line.slice(0, end)}`);
}

/** Reads one line. Checks its shape only, neither link nor signature. */
export function parseAuditLine(line: Uint8Array): Result<AuditRecord, 'not_a_record'> {
  const parsed = parseJson(Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8'));
  if (!parsed.ok || !isJsonObject(parsed.value)) return err('not_a_record');
  const fields = parsed.value;
  const { v, seq } = fields;
  const kind = stringAt(fields, 'kind');
  const chain = stringAt(fields, 'chain');
  const time = stringAt(fields, 'time');
  const prev = stringAt(fields, 'prev');
  if (v !== 1 || typeof seq !== 'number' || !Number.isSafeInteger(seq)) return err('not_a_record');
  if (kind === undefined || chain === undefined || time === undefined || prev === undefined) {
    return err('not_a_record');
  }
  return ok({ kind, chain, seq, time, prev, fields });
}
