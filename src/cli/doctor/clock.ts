/** How far the clock behind an answer is ahead of `now`, in seconds; undefined where it does not say. */
export function clockAhead(header: (name: string) => string | undefined, now: number): number | undefined {
  const date = Date.parse(header('date') ?? '');
  if (Number.isNaN(date)) return undefined;
  // What a cache kept is as old as it says.
  const ageMs = Number(header('age') ?? 0) * 1_000;
  return Math.round((date + (Number.isNaN(ageMs) ? 0 : ageMs) - now) / 1_000);
}
