import type { Clock } from '#kernel/clock.ts';
import type { Era } from '#wire/protocol.ts';

export interface EraVerdict {
  readonly era: Era;
  readonly revision: string;
}

/** What was found out about a server's era (R40): one for all connections to it, and only for a while. */
export interface Verdict {
  current(): EraVerdict | undefined;
  found(verdict: EraVerdict): void;
  /** An answer did not fit: the next connection asks again. */
  forget(): void;
}

export function createVerdict(clock: Clock, lifetimeMs: number): Verdict {
  let known: EraVerdict | undefined;
  let expiresAt = 0;
  return {
    current: () => (clock.monotonic() < expiresAt ? known : undefined),
    found(verdict) {
      known = verdict;
      expiresAt = clock.monotonic() + lifetimeMs;
    },
    forget() {
      known = undefined;
    },
  };
}
