import type { ToolDefinition } from '#contract/types.ts';
import type { CheckIssuer } from '#demo/check-issuer.ts';
import type { Probe } from './probe.ts';

/** What a check has to work with. */
export interface Kit {
  readonly probe: Probe;
  readonly technicalToken: string;
  /** Two users' tokens; the second is undefined where the caller gave only one. */
  readonly token: string;
  readonly otherToken: string | undefined;
  /** Makes tokens; undefined where the caller gave the tokens. */
  readonly issuer: CheckIssuer | undefined;
  /** Every scope that the catalog names, as a token holds them. */
  readonly scope: string;
  readonly tools: readonly ToolDefinition[];
  /** What may be called without changing anything: a tool without required arguments, marked read-only. */
  readonly readable: ToolDefinition | undefined;
  readonly hasWhoami: boolean;
}

export type Verdict =
  | { readonly outcome: 'pass'; readonly detail?: string }
  /** Allowed, but not what users would want. */
  | { readonly outcome: 'warn'; readonly detail: string }
  | { readonly outcome: 'fail'; readonly detail: string }
  /** Could not be tried, and why. */
  | { readonly outcome: 'skip'; readonly detail: string };

export interface Check {
  /** For programs; never changes. */
  readonly id: string;
  /** The heading of docs/contract.md that asks for it. */
  readonly clause: string;
  /** What is so when it passes. */
  readonly title: string;
  readonly run: (kit: Kit) => Promise<Verdict>;
}

export interface CheckedOutcome {
  readonly check: Check;
  readonly verdict: Verdict;
  readonly ms: number;
}

export const pass: Verdict = { outcome: 'pass' };
export const fail = (detail: string): Verdict => ({ outcome: 'fail', detail });
export const skip = (detail: string): Verdict => ({ outcome: 'skip', detail });

/** The first that is no pass, else a pass. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  const rank = { fail: 0, warn: 1, skip: 2, pass: 3 } as const;
  return verdicts.toSorted((a, b) => rank[a.outcome] - rank[b.outcome])[0] ?? pass;
}
