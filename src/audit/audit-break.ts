import type { ChainBreakReason } from './chain-check.ts';

/**
 * Why an audit does not hold, beside what a chain shows by itself. `history_missing`: the chain starts late and no signed
 * tombstone says why. `file_missing`: a file that was announced. Against anchors: `end_missing`: the chain ends before a
 * checkpoint that is kept elsewhere; `chain_missing`: no file of its chain is there; `anchor_differs`: another text stands in
 * its place.
 */
export type AuditBreakReason =
  | ChainBreakReason
  | 'history_missing'
  | 'file_missing'
  | 'end_missing'
  | 'chain_missing'
  | 'anchor_differs';

/** A place that does not hold: in a file of the audit, or in a file of anchors. */
export interface AuditBreak {
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  readonly reason: AuditBreakReason;
  readonly message: string;
}
