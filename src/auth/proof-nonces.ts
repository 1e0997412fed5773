import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Sealer } from '#keys/sealer.ts';

/**
 * The nonces that proofs must carry (RFC 9449 section 9): the time sealed, so that any replica knows those of another.
 * Those from before this process are stale: what proofs they were used in is forgotten with the one before.
 */
export interface ProofNonces {
  /** A new one each minute. */
  current(): string;
  isFresh(nonce: string): boolean;
}

export function createProofNonces(deps: { readonly sealer: Sealer; readonly clock: Clock }): ProofNonces {
  const { sealer, clock } = deps;
  const startedAt = clock.now();
  let made: { readonly text: string; readonly at: number } | undefined;

  return {
    current() {
      const now = clock.now();
      if (made === undefined || Math.abs(now - made.at) >= limits.proofNonceRenewalMs) {
        made = { text: sealer.seal('proof_nonce', [], String(now)), at: now };
      }
      return made.text;
    },
    isFresh(nonce) {
      const opened = sealer.open('proof_nonce', [], nonce);
      if (!opened.ok) return false;
      const at = Number(opened.value);
      const age = clock.now() - at;
      return at >= startedAt && age < limits.proofNonceMs && age >= -limits.clockToleranceSeconds * 1_000;
    },
  };
}
