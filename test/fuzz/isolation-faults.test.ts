import { expect, test } from 'vitest';
import { faults, faultsOnDisk } from './isolation/faults.ts';
import { runSequences } from './isolation/sequences.ts';

test.each(Object.entries(faults))(
  'the same sequences find %s',
  async (_, plant) => {
    const outcome = await runSequences({ sequences: 400, seed: 4, instead: plant() });
    expect(outcome.finding).toMatch(/ found zqxzqx-\w+-/);
  },
  600_000,
);

test.each(Object.entries(faultsOnDisk))(
  'the same search of the files finds %s',
  async (_, plant) => {
    const outcome = await runSequences({ sequences: 20, seed: 3, instead: plant() });
    expect(outcome.finding).toMatch(/\.db(?:-wal)? holds (?:zqxzqx|eyJ)/);
  },
  600_000,
);
