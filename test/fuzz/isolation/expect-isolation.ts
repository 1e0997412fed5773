import { expect } from 'vitest';
import { budget } from '../budget.ts';
import { runSequences } from './sequences.ts';

/** Half of what is tried each time: in two files, so that two processors share it. */
export async function expectIsolation(half: 0 | 1): Promise<void> {
  const sequences = 1_000 * budget.times;
  const started = performance.now();
  const outcome = await runSequences({ sequences, seed: budget.seed + half });
  const seconds = Math.round((performance.now() - started) / 1_000);
  const { steps, searched } = outcome;
  console.info(
    `seed ${budget.seed + half}: ${sequences} sequences, ${steps} steps, ${searched} answers, ${seconds} s`,
  );
  expect(outcome.finding).toBeUndefined();
  expect(outcome.sequences).toBe(sequences);
}
