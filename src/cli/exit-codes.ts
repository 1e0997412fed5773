/** What the command's exit code means, everywhere. */
export const exitCodes = {
  done: 0,
  /** The answer is "no": a broken chain, a failed check. */
  no: 1,
  /** The caller's mistake: usage, configuration. */
  usage: 2,
  /** Something could not be reached. */
  unreachable: 3,
  /** `audit verify`: everything holds, but the last records are not signed yet. */
  unanchored: 4,
  /** A fault of ours. */
  fault: 70,
} as const;
