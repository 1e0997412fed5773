import { stringAt } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Verifier } from '#keys/signer.ts';
import {
  type AuditRecord,
  genesisHash,
  hashLine,
  parseAuditLine,
  type SignedKind,
  signedPart,
} from './line.ts';

/**
 * Why a chain does not hold at a line.
 * `edited`: the line before is not the one this line was linked to, or this line's link was changed.
 * `missing`: records before this line are gone, or out of order. `repeated`: a record stands twice or was put in.
 * `checkpoint_overdue`: more records without a checkpoint than a gateway ever writes.
 */
export type ChainBreakReason =
  | 'not_a_record'
  | 'other_chain'
  | 'edited'
  | 'missing'
  | 'repeated'
  | 'unknown_key'
  | 'bad_signature'
  | 'checkpoint_overdue';

export interface ChainBreak {
  readonly reason: ChainBreakReason;
  readonly message: string;
  /** The fault shows here but lies in the line before. */
  readonly isLineBefore: boolean;
}

type SignatureCheck = Pick<Verifier, 'has' | 'verify'>;

/** Follows one chain, line by line. After a break it must not be asked again. */
export interface ChainCheck {
  next(line: Uint8Array): Result<AuditRecord, ChainBreak>;
  /** The last line's number and hash; undefined before the first. */
  head(): { readonly seq: number; readonly hash: string } | undefined;
  lastCheckpoint(): { readonly seq: number; readonly time: string } | undefined;
  /** Records after the last checkpoint; of those read, where it began in mid-chain. */
  unanchored(): number;
}

/**
 * A check that takes the first line as it comes, at any number; who starts at a chain's beginning compares the first
 * record with `isFirstOfChain`. Without a verifier, signatures are not looked at.
 */
export function createChainCheck(chain: string, verifier: SignatureCheck | undefined): ChainCheck {
  let head: { readonly seq: number; readonly hash: string } | undefined;
  let lastCheckpoint: { readonly seq: number; readonly time: string } | undefined;
  let unanchored = 0;

  const linkProblem = (record: AuditRecord): ChainBreak | undefined => {
    if (record.chain !== chain) return broken('other_chain', `a record of chain ${record.chain}`);
    if (head === undefined) return undefined;
    const expected = head.seq + 1;
    if (record.seq > expected) {
      return broken('missing', `record ${expected} was expected here, this is ${record.seq}`);
    }
    if (record.seq < expected) {
      return broken('repeated', `record ${expected} was expected here, this is ${record.seq}`);
    }
    if (record.prev === head.hash) return undefined;
    return { ...broken('edited', `the record after this one links to another text`), isLineBefore: true };
  };

  const signingProblem = (record: AuditRecord, line: Uint8Array): ChainBreak | undefined => {
    const isOverdue = record.kind !== 'checkpoint' && unanchored >= limits.auditCheckpointRecords;
    if (isOverdue) {
      const message = `more than ${limits.auditCheckpointRecords} records without a checkpoint`;
      return broken('checkpoint_overdue', message);
    }
    return verifier && signatureProblem(record, line, verifier);
  };

  return {
    next(line) {
      const parsed = parseAuditLine(line);
      if (!parsed.ok) return err(broken('not_a_record', 'not an audit record'));
      const record = parsed.value;
      const problem = linkProblem(record) ?? signingProblem(record, line);
      if (problem !== undefined) return err(problem);
      head = { seq: record.seq, hash: hashLine(line) };
      unanchored += 1;
      if (record.kind === 'checkpoint') {
        unanchored = 0;
        lastCheckpoint = { seq: record.seq, time: record.time };
      }
      return ok(record);
    },
    head: () => head,
    lastCheckpoint: () => lastCheckpoint,
    unanchored: () => unanchored,
  };
}

/** Whether a record stands at the very beginning of its chain. */
export function isFirstOfChain(record: AuditRecord): boolean {
  return record.seq === 1 && record.prev === genesisHash(record.chain);
}

/** Whether a record that carries a signature may; the others have none to check. */
export function signatureProblem(
  record: AuditRecord,
  line: Uint8Array,
  verifier: SignatureCheck,
): ChainBreak | undefined {
  if (!isSigned(record.kind)) return undefined;
  const key = stringAt(record.fields, 'key') ?? '';
  if (!verifier.has(key))
    return broken('unknown_key', `a ${record.kind} signed with the unknown key ${JSON.stringify(key)}`);
  const text = Buffer.from(line).toString('utf8');
  const signature = stringAt(record.fields, 'sig') ?? '';
  // Nothing may follow the signature: it would not be signed.
  const endsThere = text.endsWith(`,"sig":"${signature}"}`);
  if (endsThere && verifier.verify(key, signedPart(record.kind, text), signature)) return undefined;
  return badSignature(record.kind);
}

export function badSignature(kind: string): ChainBreak {
  return broken('bad_signature', `the ${kind} did not sign what stands here`);
}

function isSigned(kind: string): kind is SignedKind {
  return kind === 'checkpoint' || kind === 'tombstone';
}

function broken(reason: ChainBreakReason, message: string): ChainBreak {
  return { reason, message, isLineBefore: false };
}
