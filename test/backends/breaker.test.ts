import { describe, expect, test } from 'vitest';
import { breakerDefaults, createBreaker, type Permit } from '#backends/breaker.ts';

function setUp(changes: Partial<typeof breakerDefaults> = {}) {
  let time = 0;
  const clock = { now: () => time, monotonic: () => time };
  const breaker = createBreaker(clock, { ...breakerDefaults, ...changes });
  const admit = (): Permit => {
    const permit = breaker.admit();
    if (!permit.ok) throw new Error('not admitted');
    return permit.value;
  };
  return {
    breaker,
    admit,
    pass: (ms: number) => {
      time += ms;
    },
    fail: (times: number) => {
      for (let i = 0; i < times; i++) admit().failed();
    },
  };
}

describe('createBreaker', () => {
  test('opens after five failures in a row, and says how long to wait', () => {
    const { breaker, fail } = setUp();
    fail(4);
    expect(breaker.state()).toBe('closed');
    fail(1);
    expect(breaker.state()).toBe('open');
    expect(breaker.admit()).toEqual({ ok: false, error: 5_000 });
    expect(breaker.waitMs()).toBe(5_000);
  });

  test('a success in between starts the count again', () => {
    const { breaker, fail, admit } = setUp();
    fail(4);
    admit().succeeded();
    fail(4);
    expect(breaker.state()).toBe('closed');
  });

  test('opens when half of the last twenty calls failed, though never five in a row', () => {
    const { breaker, admit } = setUp();
    for (let i = 0; i < 10; i++) {
      expect(breaker.state()).toBe('closed');
      admit().succeeded();
      admit().failed();
    }
    expect(breaker.state()).toBe('open');
  });

  test('old failures do not add up over hours', () => {
    const { breaker, admit, pass } = setUp();
    for (let i = 0; i < 30; i++) {
      admit().succeeded();
      admit().failed();
      pass(30_000);
    }
    expect(breaker.state()).toBe('closed');
  });

  test('after the pause one probe goes through, and its success closes', () => {
    const { breaker, fail, pass, admit } = setUp();
    fail(5);
    pass(5_000);
    expect(breaker.state()).toBe('half_open');
    const probe = admit();
    expect(breaker.admit().ok).toBe(false);
    expect(breaker.waitMs()).toBeGreaterThan(0);
    probe.succeeded();
    expect(breaker.state()).toBe('closed');
    expect(breaker.admit().ok).toBe(true);
  });

  test('a failed probe opens again for twice as long, up to the longest pause', () => {
    const { breaker, fail, pass, admit } = setUp();
    fail(5);
    const pauses: number[] = [];
    for (let i = 0; i < 6; i++) {
      pass(breaker.waitMs());
      admit().failed();
      pauses.push(breaker.waitMs());
    }
    expect(pauses).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  test('a probe that says nothing makes room for the next', () => {
    const { breaker, fail, pass, admit } = setUp();
    fail(5);
    pass(5_000);
    admit().released();
    expect(breaker.state()).toBe('half_open');
    expect(breaker.admit().ok).toBe(true);
  });

  test('a call from before the opening neither closes nor prolongs it', () => {
    const { breaker, fail, admit } = setUp();
    const early = admit();
    const other = admit();
    fail(5);
    early.succeeded();
    other.failed();
    expect(breaker.waitMs()).toBe(5_000);
  });
});
