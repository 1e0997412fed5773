import { describe, expect, test } from 'vitest';
import { createBudget } from '#backends/budget.ts';

const never = new AbortController().signal;

describe('createBudget', () => {
  test('gives out its places, then lets the next wait in order', async () => {
    const budget = createBudget(2, 2);
    await budget.acquire(never, 1_000);
    await budget.acquire(never, 1_000);
    const order: string[] = [];
    const first = Promise.resolve(budget.acquire(never, 1_000)).then(() => order.push('first'));
    const second = Promise.resolve(budget.acquire(never, 1_000)).then(() => order.push('second'));
    expect(budget.inFlight()).toBe(2);
    budget.release();
    await first;
    budget.release();
    await second;
    expect(order).toEqual(['first', 'second']);
    budget.release();
    budget.release();
    expect(budget.inFlight()).toBe(0);
  });

  test('is busy at once when the queue is full', async () => {
    const budget = createBudget(1, 1);
    await budget.acquire(never, 1_000);
    const waiting = budget.acquire(never, 1_000);
    expect(await budget.acquire(never, 1_000)).toEqual({ ok: false, error: 'busy' });
    budget.release();
    expect(await waiting).toEqual({ ok: true, value: undefined });
  });

  test('is busy after waiting too long, and whoever gave up takes no place', async () => {
    const budget = createBudget(1, 5);
    await budget.acquire(never, 1_000);
    expect(await budget.acquire(never, 20)).toEqual({ ok: false, error: 'busy' });
    budget.release();
    expect(budget.inFlight()).toBe(0);
  });

  test('a caller who cancels while waiting leaves the queue', async () => {
    const budget = createBudget(1, 5);
    await budget.acquire(never, 1_000);
    const stop = new AbortController();
    const waiting = budget.acquire(stop.signal, 1_000);
    stop.abort();
    expect(await waiting).toEqual({ ok: false, error: 'cancelled' });
    expect(await budget.acquire(AbortSignal.abort(), 1_000)).toEqual({ ok: false, error: 'cancelled' });
    budget.release();
    expect(budget.inFlight()).toBe(0);
  });

  test('closing tells everyone who waits, and everyone who comes', async () => {
    const budget = createBudget(1, 5);
    await budget.acquire(never, 1_000);
    const waiting = budget.acquire(never, 1_000);
    budget.close();
    expect(await waiting).toEqual({ ok: false, error: 'cancelled' });
    expect(await budget.acquire(never, 1_000)).toEqual({ ok: false, error: 'cancelled' });
  });
});
