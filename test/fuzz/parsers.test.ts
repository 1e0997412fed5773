import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { budget } from './budget.ts';
import { contractTargets } from './targets/contract.ts';
import { fileTargets } from './targets/files.ts';
import { identityTargets } from './targets/identity.ts';
import { corpusOf, inputsOf } from './targets/target.ts';
import { wireTargets } from './targets/wire.ts';

const targets = [...wireTargets, ...contractTargets, ...identityTargets, ...fileTargets];

describe.each(targets)('$name', (target) => {
  test('holds for every file of its corpus', async () => {
    const files = corpusOf(target);
    expect(files.length).toBeGreaterThan(1);
    for (const { name, bytes } of files) {
      try {
        await target.holds(bytes);
      } catch (cause) {
        throw new Error(`corpus/${target.name}/${name}`, { cause });
      }
    }
  });

  test(`${target.promise}`, async () => {
    const run = { numRuns: target.runs * budget.times, seed: budget.seed };
    await fc.assert(
      fc.asyncProperty(inputsOf(target), async (input) => {
        try {
          await target.holds(input);
        } catch (cause) {
          const base64 = Buffer.from(input).toString('base64');
          throw new Error(`base64 -d <<< '${base64}' > test/fuzz/corpus/${target.name}/NAME`, { cause });
        }
      }),
      run,
    );
  }, 3_600_000);
});
