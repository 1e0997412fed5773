import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { useCompiledBinary } from '../support/compiled-binary.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { startStack } from './stack.ts';
import { type Revision, runSuite } from './suite.ts';
import { judge, parseExpectedFailures, type Verdict } from './verdict.ts';

const revisions: readonly Revision[] = ['2026-07-28', '2025-11-25'];

const { values } = parseArgs({
  options: {
    /** Run `bin/cortex.ts` instead of the compiled file. */
    sources: { type: 'boolean', default: false },
    /** Keep the suite's reports here. */
    out: { type: 'string' },
    /** Write the counts here as JSON. */
    json: { type: 'string' },
  },
});

if (!values.sources) await useCompiledBinary();
await using temporary = await createTempFolder();
const out = values.out === undefined ? temporary.path : resolve(values.out);
const expectedFailures = await readFile(join(import.meta.dirname, 'expected-failures.yaml'), 'utf8');
const verdicts: Verdict[] = [];
for (const revision of revisions) verdicts.push(await run(revision));

const passed = sum(verdicts.map((verdict) => verdict.passed));
const failed = sum(verdicts.map((verdict) => verdict.total - verdict.passed));
const isAsExpected = verdicts.every(
  (verdict) => verdict.unexpected.length === 0 && verdict.stale.length === 0,
);
if (values.json !== undefined) await Bun.write(values.json, JSON.stringify({ passed, failed }));
process.exitCode = isAsExpected ? 0 : 1;

async function run(revision: Revision): Promise<Verdict> {
  const folder = join(out, revision);
  await mkdir(folder, { recursive: true });
  await using stack = await startStack();
  const results = await runSuite(stack.url, revision, folder);
  const reasons = parseExpectedFailures(expectedFailures, revision);
  const verdict = judge(results, reasons);
  for (const { scenario, problems } of verdict.unexpected) {
    print(`not ok ${scenario}`, ...problems.map((problem) => `       ${problem}`));
  }
  for (const { scenario } of verdict.expected) print(`known  ${scenario}: ${reasons.get(scenario)}`);
  for (const scenario of verdict.stale)
    print(`stale  ${scenario} passes: take it out of expected-failures.yaml`);
  for (const { scenario, isScored, problems } of results) {
    if (!isScored) print(`unscored ${problems.length === 0 ? 'ok' : 'not ok'} ${scenario}`);
  }
  if (verdict.unexpected.length > 0) print('--- the gateway wrote:', stack.gatewayOutput().slice(-4000));
  print(`server ${revision} over contract: ${verdict.passed}/${verdict.total}`);
  return verdict;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
