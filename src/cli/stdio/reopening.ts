import { pause } from '#adapter/pause.ts';

const firstPauseMs = 500;
const maxPauseMs = 30_000;
/** A stream that lasted this long was a good one: the next pause is short again. */
const goodMs = 30_000;

/**
 * Keeps a stream open: `open` runs for as long as it lasts and says whether there is any sense in another. Pauses are
 * doubled, and jittered, so that a gateway which comes back is not met by everybody at once.
 */
export async function keepOpen(
  open: () => Promise<'again' | 'over'>,
  deps: { readonly signal: AbortSignal; readonly random: () => number },
): Promise<void> {
  let pauseMs = firstPauseMs;
  while (!deps.signal.aborted) {
    const from = performance.now();
    if ((await open()) === 'over') return;
    if (performance.now() - from > goodMs) pauseMs = firstPauseMs;
    if (!(await pause(pauseMs * (0.5 + deps.random()), deps.signal))) return;
    pauseMs = Math.min(pauseMs * 2, maxPauseMs);
  }
}
