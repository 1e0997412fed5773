import { describe, expect, test } from 'vitest';
import { Secret } from '#kernel/secret.ts';
import { createAdminTokens } from '#server/admin/admin-tokens.ts';

const right = 'a'.repeat(43);
const settings = (entries: Readonly<Record<string, string>>) =>
  new Map(
    Object.entries(entries).map(([name, token]) => [
      name,
      { token: new Secret(token), role: 'read' as const },
    ]),
  );
const tokens = createAdminTokens(settings({ first: right, last: 'b'.repeat(43) }), new Uint8Array(32));

describe('the comparison of an operator’s token', () => {
  test('finds the one it is, by all of it', () => {
    expect(tokens.find(right)?.name).toBe('first');
    expect(tokens.find('b'.repeat(43))?.name).toBe('last');
    for (const near of ['', right.slice(1), `${right}a`, `${right}\0`, `b${right.slice(1)}`]) {
      expect(tokens.find(near)).toBeUndefined();
    }
  });

  test('is of digests of one length, under a key that differs from process to process', () => {
    const digests = [new Uint8Array(32), new Uint8Array(32).fill(1)].map(
      (key) => createAdminTokens(settings({ one: right }), key).find(right)?.digest,
    );
    expect(digests.map((digest) => digest?.length)).toEqual([32, 32]);
    expect(digests[0]).not.toEqual(digests[1]);
  });

  test('takes as long for a token that is wrong at its first character as at its last, and for the first token as for the last', () => {
    const rounds = 300;
    const perRound = 50;
    const candidates = [`${'b'.repeat(42)}a`, `${'a'.repeat(42)}b`, right, 'b'.repeat(43)];
    const times = candidates.map((): number[] => []);
    for (let round = 0; round < rounds; round += 1) {
      // One after the other in each round: what else the machine does then slows all of them.
      for (const [index, candidate] of candidates.entries()) {
        const began = performance.now();
        for (let n = 0; n < perRound; n += 1) tokens.find(candidate);
        times[index]?.push((performance.now() - began) / perRound);
      }
    }
    // The quickest round of each: what else the machine does is not in it.
    const quickest = times.map((of) => Math.min(...of) * 1_000);
    const shown = quickest.map((us) => us.toFixed(2)).join(', ');
    process.stdout.write(
      `a comparison takes ${shown} us: wrong first, wrong last, first token, last token\n`,
    );
    expect(Math.max(...quickest) / Math.min(...quickest)).toBeLessThan(2);
  });
});
