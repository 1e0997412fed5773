import type { Clock } from './clock.ts';

/** A gate that a call got through. */
export interface PassedGate {
  readonly gate: string;
  /** Milliseconds since the request was taken up. */
  readonly ms: number;
}

/** The way of one call through its gates, for operators to look at; kept in memory and never written down. */
export interface CallPath {
  passed(gate: string): void;
  gates(): readonly PassedGate[];
}

/** A backend that asks the user again and again passes the same gates each time. */
const maxGates = 64;

export function createCallPath(clock: Clock): CallPath {
  const startedMs = clock.monotonic();
  const gates: PassedGate[] = [];
  return {
    passed(gate) {
      if (gates.length < maxGates) gates.push({ gate, ms: clock.monotonic() - startedMs });
    },
    gates: () => [...gates],
  };
}
