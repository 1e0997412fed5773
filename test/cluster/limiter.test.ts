import { expect, test } from 'vitest';
import { createLimiter } from '#cluster/limiter.ts';

function limiterAt(maxKeys?: number) {
  let now = 1_000;
  const clock = { now: () => now, monotonic: () => now };
  return {
    limiter: createLimiter(clock, maxKeys),
    advance: (ms: number) => (now += ms),
    back: (ms: number) => (now -= ms),
  };
}
const times = (count: number, take: () => number) => Array.from({ length: count }, take);

test('a key may use a minute’s allowance at once, then one call each time a part of the minute has passed', () => {
  const { limiter, advance } = limiterAt();
  expect(times(7, () => limiter.take('a', 6))).toEqual([0, 0, 0, 0, 0, 0, 10]);
  advance(9_999);
  expect(limiter.take('a', 6)).toBe(1);
  advance(1);
  expect([limiter.take('a', 6), limiter.take('a', 6)]).toEqual([0, 10]);
});

test('saving up ends at a minute’s allowance', () => {
  const { limiter, advance } = limiterAt();
  limiter.take('a', 3);
  advance(3_600_000);
  expect(times(4, () => limiter.take('a', 3))).toEqual([0, 0, 0, 20]);
});

test('keys do not share', () => {
  const { limiter } = limiterAt();
  expect([limiter.take('a', 1), limiter.take('b', 1), limiter.take('a', 1), limiter.take('b', 1)]).toEqual([
    0, 0, 60, 60,
  ]);
});

test('a clock that steps back gives nothing away and takes nothing', () => {
  const { limiter, back, advance } = limiterAt();
  limiter.take('a', 1);
  back(500);
  expect(limiter.take('a', 1)).toBe(60);
  advance(60_000);
  expect(limiter.take('a', 1)).toBe(0);
});

test('an allowance that was lowered or raised counts from then on', () => {
  const { limiter, advance } = limiterAt();
  times(5, () => limiter.take('a', 100));
  expect([limiter.take('a', 2), limiter.take('a', 2), limiter.take('a', 2)]).toEqual([0, 0, 30]);
  advance(1_000);
  expect(limiter.take('a', 120)).toBe(0);
});

test('it remembers so many keys and forgets the ones that came first', () => {
  const { limiter } = limiterAt(2);
  for (const key of ['a', 'b', 'c']) limiter.take(key, 1);
  expect(limiter.take('b', 1)).toBe(60);
  expect(limiter.take('a', 1)).toBe(0);
  limiter.close();
  expect(limiter.take('b', 1)).toBe(0);
});
