import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';

/** Which proofs were used (RFC 9449 section 11.1). */
export interface ProofMemory {
  /**
   * Remembers a proof's id for 300 s. `full`: it cannot be remembered, so it cannot be accepted; nothing is forgotten
   * to make room. Each owner has a share, so that none fills it for the others.
   */
  use(owner: string, id: string): 'new' | 'used' | 'full';
  readonly size: number;
}

export interface ProofMemoryBounds {
  readonly total: number;
  readonly perOwner: number;
}

interface Slice {
  readonly since: number;
  readonly owners: Map<string, Set<string>>;
}

/** Time goes by in slices, and a whole slice is forgotten at once. */
const sliceMs = 30_000;

export function createProofMemory(
  clock: Clock,
  bounds: ProofMemoryBounds = {
    total: limits.maxRememberedProofs,
    perOwner: limits.maxRememberedProofsPerPrincipal,
  },
): ProofMemory {
  let slices: readonly Slice[] = [];
  let size = 0;

  function currentSlice(): Slice {
    const now = clock.monotonic();
    const last = slices.at(-1);
    if (last !== undefined && now - last.since < sliceMs) return last;
    const fresh: Slice = { since: now, owners: new Map() };
    slices = [...slices.filter(({ since }) => now - since < limits.proofMemoryMs + sliceMs), fresh];
    size = 0;
    for (const { owners } of slices) for (const ids of owners.values()) size += ids.size;
    return fresh;
  }

  return {
    use(owner, id) {
      const slice = currentSlice();
      let held = 0;
      for (const { owners } of slices) {
        const ids = owners.get(owner);
        if (ids?.has(id) === true) return 'used';
        held += ids?.size ?? 0;
      }
      if (size >= bounds.total || held >= bounds.perOwner) return 'full';
      const ids = slice.owners.get(owner) ?? new Set();
      slice.owners.set(owner, ids.add(id));
      size += 1;
      return 'new';
    },
    get size() {
      return size;
    },
  };
}
