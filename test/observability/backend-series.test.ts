import { describe, expect, test } from 'vitest';
import { createBackendSeries } from '#observability/backend-series.ts';
import { createMovingClock } from '../support/moving-clock.ts';

describe('the last hour of a backend', () => {
  test('has its calls by minute, how many failed, and their latency within a fifth', () => {
    const clock = createMovingClock();
    const series = createBackendSeries(clock);
    for (let n = 0; n < 100; n += 1) series.called('notes', n < 95 ? 10 : 900, n < 3);
    series.called('other', 5, false);
    const hour = series.hour('notes');
    expect([hour.calls, hour.errors, hour.minutes.length]).toEqual([100, 3, 60]);
    expect(hour.minutes.at(-1)).toMatchObject({ calls: 100, errors: 3 });
    expect(hour.p50).toBeGreaterThan(8);
    expect(hour.p50).toBeLessThan(12);
    for (let n = 0; n < 20; n += 1) series.called('notes', 900, false);
    expect(series.hour('notes').p95).toBeGreaterThan(750);
    expect(series.hour('notes').p95).toBeLessThan(1_080);
    expect(series.total()).toMatchObject({ calls: 121, errors: 3 });
  });

  test('forgets what is older than an hour, also where the same minute comes again', () => {
    const clock = createMovingClock();
    const series = createBackendSeries(clock);
    series.called('notes', 10, true);
    clock.advance(30 * 60_000);
    series.called('notes', 10, false);
    expect(series.hour('notes')).toMatchObject({ calls: 2, errors: 1 });
    clock.advance(30 * 60_000);
    expect(series.hour('notes')).toMatchObject({ calls: 1, errors: 0 });
    clock.advance(3 * 3_600_000);
    expect(series.hour('notes')).toMatchObject({ calls: 0, errors: 0, p50: undefined });
  });

  test('has the last poll, whether it went well or not', () => {
    const clock = createMovingClock();
    const series = createBackendSeries(clock);
    expect(series.hour('notes').lastPoll).toBeUndefined();
    series.polled('notes', 12, true);
    series.polled('notes', 3, false);
    expect(series.hour('notes').lastPoll).toMatchObject({ ms: 3, isGood: false });
  });

  test('is kept of so many backends: beyond that the oldest goes', () => {
    const series = createBackendSeries(createMovingClock(), 3);
    for (const id of ['a', 'b', 'c', 'd']) series.called(id, 1, false);
    expect(['a', 'b', 'c', 'd'].map((id) => series.hour(id).calls)).toEqual([0, 1, 1, 1]);
  });
});
