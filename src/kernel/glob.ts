/**
 * Whether `text` matches a glob: `*` is any run of characters, `?` any one, everything else is itself.
 * Linear in both lengths for each `*`; no regular expression is built from configuration.
 */
export function matchesGlob(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (t < text.length) {
    if (glob[g] === '*') {
      starAt = g++;
      resumeAt = t;
      continue;
    }
    if (g < glob.length && (glob[g] === '?' || glob[g] === text[t])) {
      g++;
      t++;
      continue;
    }
    if (starAt < 0) return false;
    g = starAt + 1;
    t = ++resumeAt;
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}

/** Whether a name passes `include` (empty: everything) and none of `exclude`. */
export function isIncluded(name: string, include: readonly string[], exclude: readonly string[]): boolean {
  if (include.length > 0 && !include.some((glob) => matchesGlob(glob, name))) return false;
  return !exclude.some((glob) => matchesGlob(glob, name));
}
