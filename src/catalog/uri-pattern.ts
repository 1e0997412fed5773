/** A regular language over UTF-16 code units. `run` is one or more accepted units, `repeat` none or more. */
export type Pattern =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'run'; readonly accepts: (code: number) => boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly options: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly inner: Pattern };

type Step =
  | { readonly kind: 'accept'; readonly accepts: (code: number) => boolean }
  | { readonly kind: 'fork'; readonly targets: number[] };

/**
 * A matcher of whole strings that follows all ways at once and never goes back: its time is bounded by the
 * length of the text times the size of the pattern, so no text can make it slow.
 */
export function compilePattern(pattern: Pattern): (text: string) => boolean {
  const steps: Step[] = [];
  emit(pattern, steps);
  const end = steps.length;
  // After each place: what forks lead to from there. Once and not for each character, which costs ten times as much.
  const after = steps.map((_, place) => follow(steps, place + 1));
  const start = follow(steps, 0);

  return (text) => {
    const seenAt = new Int32Array(end + 1);
    let threads: readonly number[] = start;
    for (let at = 0; at < text.length && threads.length > 0; at++) {
      const code = text.charCodeAt(at);
      const next: number[] = [];
      for (const thread of threads) {
        const step = steps[thread];
        if (step?.kind !== 'accept' || !step.accepts(code)) continue;
        for (const place of after[thread] ?? []) {
          if (seenAt[place] === at + 1) continue;
          seenAt[place] = at + 1;
          next.push(place);
        }
      }
      threads = next;
    }
    return threads.includes(end);
  };
}

/** The given place, or where forks lead to from it: places that accept something, and the end. */
function follow(steps: readonly Step[], from: number): readonly number[] {
  const reached = new Set<number>();
  const pending = [from];
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    if (reached.has(place)) continue;
    reached.add(place);
    const step = steps[place];
    if (step?.kind === 'fork') pending.push(...step.targets);
  }
  return [...reached].filter((place) => steps[place]?.kind !== 'fork');
}

function emit(pattern: Pattern, steps: Step[]): void {
  switch (pattern.kind) {
    case 'literal':
      for (let at = 0; at < pattern.text.length; at++) {
        const expected = pattern.text.charCodeAt(at);
        steps.push({ kind: 'accept', accepts: (code) => code === expected });
      }
      return;
    case 'run': {
      const start = steps.length;
      steps.push({ kind: 'accept', accepts: pattern.accepts });
      steps.push({ kind: 'fork', targets: [start, start + 2] });
      return;
    }
    case 'sequence':
      for (const part of pattern.parts) emit(part, steps);
      return;
    case 'choice': {
      const targets: number[] = [];
      steps.push({ kind: 'fork', targets });
      const exits: number[][] = [];
      for (const option of pattern.options) {
        targets.push(steps.length);
        emit(option, steps);
        const exit: number[] = [];
        exits.push(exit);
        steps.push({ kind: 'fork', targets: exit });
      }
      for (const exit of exits) exit.push(steps.length);
      return;
    }
    case 'repeat': {
      const start = steps.length;
      const targets = [start + 1];
      steps.push({ kind: 'fork', targets });
      emit(pattern.inner, steps);
      steps.push({ kind: 'fork', targets: [start] });
      targets.push(steps.length);
      return;
    }
  }
}
