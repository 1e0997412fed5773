import type { Clock } from '#kernel/clock.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Sealer } from '#keys/sealer.ts';
import { createProofMemory, type ProofMemory } from './proof-memory.ts';
import { createProofNonces } from './proof-nonces.ts';
import { type AuthRefusal, refusal } from './refusal.ts';
import { type ProofTarget, verifyProof } from './verify-proof.ts';

/** Proofs that whoever sends a token holds the key it is bound to (RFC 9449). Outlives a reload, with its memory. */
export interface Dpop {
  /** The principal, if the proof is good and was never used before. */
  prove(
    principal: Principal,
    proof: string | null,
    target: Omit<ProofTarget, 'boundTo'>,
  ): Promise<Result<Principal, AuthRefusal>>;
  /** What the next proof should carry. */
  nonce(): string;
}

export function createDpop(deps: {
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly memory?: ProofMemory;
}): Dpop {
  const { clock } = deps;
  const nonces = createProofNonces(deps);
  const memory = deps.memory ?? createProofMemory(clock);

  return {
    async prove(principal, proof, target) {
      const { boundTo } = principal;
      if (boundTo === undefined) return err(refusal('token_unbound'));
      const verified = await verifyProof(proof, { ...target, boundTo }, clock.now());
      if (!verified.ok) return verified;
      const { id, nonce } = verified.value;
      if (nonce === undefined) return err(refusal('proof_nonce_missing'));
      if (!nonces.isFresh(nonce)) return err(refusal('proof_nonce_stale'));
      // By its key as well: nobody can use up another's ids.
      switch (memory.use(principal.key, `${boundTo}.${id}`)) {
        case 'used':
          return err(refusal('proof_replayed'));
        case 'full':
          return err(refusal('proofs_full'));
        case 'new':
          return ok(principal);
      }
    },
    nonce: nonces.current,
  };
}
