import fc from 'fast-check';
import { expect, test } from 'vitest';
import { callFields } from '#audit/call-fields.ts';
import { createLatencies } from '#audit/latencies.ts';
import type { CallFacts } from '#audit/record.ts';
import { createAuditStats } from '#audit/stats.ts';
import { facts } from './support/audit-kit.ts';

function recordOf(over: Partial<CallFacts>) {
  const fields = callFields(facts(over), 'user', undefined);
  return { kind: 'call', chain: 'abcabcabcabc', seq: 1, time: '', prev: '', fields };
}

test('counts calls, errors and times per tool, backend and plan', () => {
  const stats = createAuditStats();
  for (let index = 1; index <= 100; index++) stats.add(recordOf({ latencyMs: index }));
  stats.add(recordOf({ outcome: 'error', code: 'timeout', latencyMs: 5_000 }));
  stats.add(recordOf({ outcome: 'refused', code: 'scope_missing', backend: undefined, latencyMs: 0.01 }));
  stats.add(recordOf({ tool: 'pay', backend: 'billing' }));
  stats.add(recordOf({ method: 'tools/list', tool: undefined, backend: undefined, listBytes: 4_000 }));
  stats.add(recordOf({ method: 'tools/list', tool: undefined, backend: undefined, listBytes: 2_000 }));
  stats.add(recordOf({ method: 'prompts/get', tool: 'brief' }));
  stats.add({ ...recordOf({}), kind: 'admin' });

  expect(stats.total().calls).toBe(106);
  const [tool, ...others] = stats.rows('tool');
  expect(tool).toMatchObject({ name: 'notes_list', calls: 102, outcomes: { ok: 100, error: 1, refused: 1 } });
  expect(tool?.p50).toBeCloseTo(51, -0.5);
  expect(tool?.p99).toBeCloseTo(100, -0.5);
  expect(others.map(({ name }) => name).sort()).toEqual(['pay', 'prompts/get brief']);
  expect(stats.rows('backend').map(({ name, calls }) => [name, calls])).toEqual([
    ['notes', 102],
    ['billing', 1],
  ]);
  expect(stats.rows('plan')).toMatchObject([{ name: 'free', calls: 106, lists: 2, listBytes: 6_000 }]);
});

test('a client that makes up names fills no memory: the rest is counted together', () => {
  const stats = createAuditStats();
  for (let index = 0; index < 20_000; index++) stats.add(recordOf({ tool: `made-up-${index}` }));
  const rows = stats.rows('tool');
  expect(rows.length).toBeLessThanOrEqual(5_001);
  expect(rows[0]).toMatchObject({ name: '(others)', calls: 15_000 });
});

test('names of the language itself are names like any other', () => {
  const stats = createAuditStats();
  for (const tool of ['__proto__', 'constructor', 'toString']) stats.add(recordOf({ tool }));
  expect(stats.rows('tool').map(({ calls }) => calls)).toEqual([1, 1, 1]);
});

test('quantiles are within 1 % of what sorting gives, over six decades', () => {
  const duration = fc.double({ min: 0.02, max: 600_000, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(duration, { minLength: 1, maxLength: 300 }),
      fc.constantFrom(0.5, 0.95, 0.99),
      (all, share) => {
        const latencies = createLatencies();
        for (const ms of all) latencies.add(ms);
        const exact = all.toSorted((a, b) => a - b)[Math.ceil(share * all.length) - 1] ?? 0;
        const found = latencies.quantile(share) ?? Number.NaN;
        expect(Math.abs(found - exact) / exact).toBeLessThan(0.015);
      },
    ),
  );
  expect(createLatencies().quantile(0.5)).toBeUndefined();
});
