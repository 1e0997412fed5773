import type { PassedGate } from '#kernel/call-path.ts';
import type { Principal } from '#kernel/principal.ts';

export type CallOutcome = 'ok' | 'error' | 'refused' | 'cancelled' | 'input_required';

/**
 * The facts of one call, as the place that knew them wrote them down. The audit adds version, chain, sequence,
 * time and pseudonym; it never stores the principal, an address, a token or raw parameters.
 */
export interface CallFacts {
  /** Undefined: refused before a principal was known. */
  readonly principal: Principal | undefined;
  readonly era: 'modern' | 'legacy';
  readonly method: string;
  /** What the agent calls itself; never trusted. */
  readonly agent: string | undefined;
  /** Public name of the tool or prompt, or the resource's URI scheme. */
  readonly tool: string | undefined;
  /** The backend that answered. */
  readonly backend: string | undefined;
  /** Every backend contacted, in order (whoami asks several). */
  readonly backends: readonly string[];
  readonly scopes: readonly string[] | undefined;
  readonly mode: string | undefined;
  readonly outcome: CallOutcome;
  /** The private reason, from the docs table; `ok` where there is none. */
  readonly code: string;
  readonly latencyMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Bytes of the list served, on list methods. */
  readonly listBytes: number | undefined;
  /** The call's parameters; only their keyed fingerprint is stored. */
  readonly params: string | undefined;
  readonly traceId: string | undefined;
  /**
   * Decides, under `deny-writes`, whether an unwritten record forbids the answer. Absent: `tools/call` counts as a
   * write, the rest does not.
   */
  readonly isReadOnly?: boolean;
  /** For whoever watches; no part of the record. */
  readonly path?: readonly PassedGate[] | undefined;
}

/** The audit as the request path sees it. */
export interface AuditPort {
  /**
   * Whether a call may start under the failure policy: `deny-all` refuses everything, `deny-writes` what is not
   * marked read-only, while records cannot be written.
   */
  admits(isReadOnly: boolean): boolean;
  /**
   * Appends one record. Resolves when the configured durability holds: at once, but for `durability: call` and for a
   * principal not seen before. False: the record could not be written and the policy forbids the answer.
   */
  record(facts: CallFacts): Promise<boolean> | boolean;
}
