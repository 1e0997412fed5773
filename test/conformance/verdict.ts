import { parse } from 'yaml';
import { isRecord } from './fixture-tools.ts';
import type { ScenarioResult } from './suite.ts';

/** Scenario -> why it cannot pass, for one run. */
export type ExpectedFailures = ReadonlyMap<string, string>;

export interface Verdict {
  readonly passed: number;
  readonly total: number;
  /** Failed, and not expected to. */
  readonly unexpected: readonly ScenarioResult[];
  /** Expected to fail, and failed. */
  readonly expected: readonly ScenarioResult[];
  /** Expected to fail, but passed or is not scored any more. */
  readonly stale: readonly string[];
}

/** Reads `expected-failures.yaml`: name of a run -> list of `{scenario, reason}`. */
export function parseExpectedFailures(text: string, run: string): ExpectedFailures {
  const file: unknown = parse(text);
  if (!isRecord(file)) throw new Error('expected-failures.yaml holds no table');
  const entries = file[run];
  if (!Array.isArray(entries)) throw new Error(`expected-failures.yaml has no list for ${run}`);
  return new Map(
    entries.map((entry): readonly [string, string] => {
      if (!isRecord(entry) || typeof entry.scenario !== 'string' || typeof entry.reason !== 'string') {
        throw new Error('an expected failure needs a scenario and a reason');
      }
      return [entry.scenario, entry.reason];
    }),
  );
}

/** Compares results with what was expected. Only scored scenarios count; a warning is a failure. */
export function judge(results: readonly ScenarioResult[], expectedFailures: ExpectedFailures): Verdict {
  const scored = results.filter((result) => result.isScored);
  const failed = scored.filter((result) => result.problems.length > 0);
  const failedNames = new Set(failed.map((result) => result.scenario));
  return {
    passed: scored.length - failed.length,
    total: scored.length,
    unexpected: failed.filter((result) => !expectedFailures.has(result.scenario)),
    expected: failed.filter((result) => expectedFailures.has(result.scenario)),
    stale: [...expectedFailures.keys()].filter((scenario) => !failedNames.has(scenario)),
  };
}
