/** How much is tried, and from which seed: little and always the same, unless `bun run fuzz` says otherwise. */
export const budget = {
  /** Everything is tried this many times as often. */
  times: numberOf('FUZZ_TIMES') ?? 1,
  seed: numberOf('FUZZ_SEED') ?? 20_261_127,
};

function numberOf(name: string): number | undefined {
  const text = process.env[name];
  return text === undefined || text === '' ? undefined : Number(text);
}
