import type { Verifier } from '#keys/signer.ts';
import type { Anchor, AnchorLedger } from './anchor-ledger.ts';
import type { AuditBreak } from './audit-break.ts';
import { isFirstOfChain } from './chain-check.ts';
import { listChains } from './files.ts';
import type { AuditRecord } from './line.ts';
import { type ChainReport, type Tombstone, type WalkedChain, walkChain } from './walk-chain.ts';

/**
 * `intact`: every record of every chain is there, unchanged, in order and under a signature, from the start or a
 * signed tombstone to the last checkpoint, and nothing comes after. `unanchored`: as intact, but records follow the
 * last checkpoint (against anchors: the last anchor), or there is no record at all. `broken`: at least one chain does not
 * hold, or an anchor. Not seen without anchors: an end cut off at a checkpoint, or a whole chain gone.
 */
export interface AuditReport {
  readonly status: 'intact' | 'broken' | 'unanchored';
  readonly records: number;
  readonly chains: readonly ChainReport[];
  /** What is wrong with the anchors, or with what they say is there. */
  readonly anchorProblems: readonly AuditBreak[];
}

/**
 * Reads every file of a folder and checks every link and signature; memory does not grow with the files. `ledger`: the
 * checkpoints kept elsewhere, read before, since files only grow.
 */
export async function verifyAudit(
  dir: string,
  verifier: Verifier,
  ledger?: AnchorLedger,
): Promise<AuditReport> {
  const tombstones: Tombstone[] = [];
  const walked: WalkedChain[] = [];
  for (const chain of listChains(dir).keys()) {
    walked.push(await walkChain({ dir, chain, verifier, tombstones, ledger }));
  }
  const chains = walked.map(({ first, report }) => {
    const isShortened = first !== undefined && !isFirstOfChain(first.record);
    const isAccounted = !isShortened || tombstones.some((tombstone) => accountsFor(tombstone, first.record));
    // Behind a break lies, unread, what may account for it.
    if (isAccounted || report.broken !== undefined) return { ...report, isShortened };
    const message = `the chain starts at record ${first.record.seq}, and no signed tombstone says why`;
    return { ...report, broken: { file: first.file, line: 1, reason: 'history_missing', message } as const };
  });
  const records = chains.reduce((sum, chain) => sum + chain.records, 0);
  const anchorProblems =
    ledger === undefined ? [] : [...ledger.problems, ...goneChains(ledger, chains, tombstones)];
  const isBroken = anchorProblems.length > 0 || chains.some((chain) => chain.broken !== undefined);
  const isOpen = records === 0 || chains.some((chain) => chain.unanchored > 0 || chain.tornBytes > 0);
  const status = isBroken ? 'broken' : isOpen ? 'unanchored' : 'intact';
  return { status, records, chains, anchorProblems };
}

/** Chains that anchors speak of, and nothing else does: neither a file nor the retention. */
function goneChains(
  ledger: AnchorLedger,
  chains: readonly ChainReport[],
  tombstones: readonly Tombstone[],
): readonly AuditBreak[] {
  const here = new Set(chains.map(({ chain }) => chain));
  return [...ledger.chains].flatMap(([chain, anchors]) => {
    if (here.has(chain)) return [];
    const last = [...anchors.values()].reduce((one, other) => (other.seq > one.seq ? other : one));
    if (tombstones.some((tombstone) => buries(tombstone, last))) return [];
    const { file, line } = placeOf(last);
    const message = `chain ${chain} had ${last.seq} records at ${last.time}, and none of its files is there`;
    return [{ file, line, reason: 'chain_missing' as const, message }];
  });
}

function accountsFor(tombstone: Tombstone, first: AuditRecord): boolean {
  if (tombstone.of !== first.chain || first.seq > tombstone.keptFrom) return false;
  return first.seq < tombstone.keptFrom || first.prev === tombstone.head;
}

/** Whether retention removed the anchor's record; the tombstone itself may be long gone, where later ones reach further. */
function buries(tombstone: Tombstone, anchor: Anchor): boolean {
  if (tombstone.of === anchor.chain && anchor.seq < tombstone.keptFrom) return true;
  return tombstone.before !== undefined && anchor.time < tombstone.before;
}

function placeOf(anchor: Anchor): { readonly file: string; readonly line: number } {
  const at = anchor.place.lastIndexOf(':');
  return { file: anchor.place.slice(0, at), line: Number(anchor.place.slice(at + 1)) };
}
