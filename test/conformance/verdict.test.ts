import { describe, expect, test } from 'vitest';
import { scoredScenarios } from './suite.ts';
import { judge, parseExpectedFailures } from './verdict.ts';

const passing = { scenario: 'ping', isScored: true, problems: [] };
const failing = { scenario: 'caching', isScored: true, problems: ['WARNING ttl: missing'] };
const extra = { scenario: 'tasks-lifecycle', isScored: false, problems: ['FAILURE x: y'] };

describe('the verdict on a run', () => {
  test('counts scored scenarios only, and a warning as a failure', () => {
    const verdict = judge([passing, failing, extra], new Map());
    expect(verdict).toMatchObject({ passed: 1, total: 2, expected: [], stale: [] });
    expect(verdict.unexpected.map((result) => result.scenario)).toEqual(['caching']);
  });

  test('tells an expected failure from an unexpected one', () => {
    const verdict = judge([passing, failing], new Map([['caching', 'needs native servers']]));
    expect(verdict.unexpected).toEqual([]);
    expect(verdict.expected).toEqual([failing]);
  });

  test('calls an expectation stale when its scenario passes or is gone', () => {
    const verdict = judge(
      [passing],
      new Map([
        ['ping', 'no reason'],
        ['left-the-suite', 'no reason'],
      ]),
    );
    expect(verdict.stale).toEqual(['ping', 'left-the-suite']);
  });

  test('refuses an expectation without a reason, and a run without a list', () => {
    expect(() => parseExpectedFailures('run: [{scenario: ping}]', 'run')).toThrow('a reason');
    expect(() => parseExpectedFailures('run: []', 'another run')).toThrow('no list');
  });
});

test('the pinned suite scores 37 and 30 scenarios of servers, 32 and 18 of clients', async () => {
  expect(await scoredScenarios('2026-07-28', 'server')).toHaveLength(37);
  expect(await scoredScenarios('2025-11-25', 'server')).toHaveLength(30);
  expect(await scoredScenarios('2026-07-28', 'client')).toHaveLength(32);
  expect(await scoredScenarios('2025-11-25', 'client')).toHaveLength(18);
});
