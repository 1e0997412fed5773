import { describe, expect, test } from 'vitest';
import { createBudget } from '#backends/budget.ts';

const never = new AbortController().signal;

describe('createBudget', () => {
  test('gives out its places, then lets the next wait in order', async () => {
    const budget = createBudget(2, 2);
    await budget.acquire('ada', never, 1_000);
    await budget.acquire('ada', never, 1_000);
    const order: string[] = [];
    const first = Promise.resolve(budget.acquire('ada', never, 1_000)).then(() => order.push('first'));
    const second = Promise.resolve(budget.acquire('ada', never, 1_000)).then(() => order.push('second'));
    expect(budget.inFlight()).toBe(2);
    budget.release('ada');
    await first;
    budget.release('ada');
    await second;
    expect(order).toEqual(['first', 'second']);
    budget.release('ada');
    budget.release('ada');
    expect(budget.inFlight()).toBe(0);
  });

  test('is busy at once when the queue is full', async () => {
    const budget = createBudget(1, 1);
    await budget.acquire('ada', never, 1_000);
    const waiting = budget.acquire('ada', never, 1_000);
    expect(await budget.acquire('ada', never, 1_000)).toEqual({ ok: false, error: 'busy' });
    budget.release('ada');
    expect(await waiting).toEqual({ ok: true, value: undefined });
  });

  test('is busy after waiting too long, and whoever gave up takes no place', async () => {
    const budget = createBudget(1, 5);
    await budget.acquire('ada', never, 1_000);
    expect(await budget.acquire('ada', never, 20)).toEqual({ ok: false, error: 'busy' });
    budget.release('ada');
    expect(budget.inFlight()).toBe(0);
  });

  test('a caller who cancels while waiting leaves the queue', async () => {
    const budget = createBudget(1, 5);
    await budget.acquire('ada', never, 1_000);
    const stop = new AbortController();
    const waiting = budget.acquire('ada', stop.signal, 1_000);
    stop.abort();
    expect(await waiting).toEqual({ ok: false, error: 'cancelled' });
    expect(await budget.acquire('ada', AbortSignal.abort(), 1_000)).toEqual({
      ok: false,
      error: 'cancelled',
    });
    budget.release('ada');
    expect(budget.inFlight()).toBe(0);
  });

  test('closing tells everyone who waits, and everyone who comes', async () => {
    const budget = createBudget(1, 5);
    await budget.acquire('ada', never, 1_000);
    const waiting = budget.acquire('ada', never, 1_000);
    budget.close();
    expect(await waiting).toEqual({ ok: false, error: 'cancelled' });
    expect(await budget.acquire('ada', never, 1_000)).toEqual({ ok: false, error: 'cancelled' });
  });

  test('keeps the last eighth of the places for those who hold little', async () => {
    const budget = createBudget(16, 64);
    for (let call = 0; call < 14; call++)
      expect(await budget.acquire('greedy', never, 10)).toEqual({ ok: true, value: undefined });
    expect(await budget.acquire('greedy', never, 10)).toEqual({ ok: false, error: 'busy' });
    const waiting = Promise.resolve(budget.acquire('greedy', never, 1_000));
    expect(budget.acquire('modest', never, 10)).toEqual({ ok: true, value: undefined });
    expect(budget.acquire('modest', never, 10)).toEqual({ ok: true, value: undefined });
    budget.release('modest');
    budget.release('modest');
    expect(budget.inFlight()).toBe(14);
    budget.release('greedy');
    expect(await waiting).toEqual({ ok: true, value: undefined });
  });
});
