import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { useCompiledBinary } from '../support/compiled-binary.ts';
import { createTempFolder } from '../support/temp-folder.ts';
import { startStack, type Upstream } from './stack.ts';
import { type Revision, runClientSuite, runSuite, type ScenarioResult } from './suite.ts';
import { judge, parseExpectedFailures, type Verdict } from './verdict.ts';

/** The server leg of the suite: a revision, and what the fixture behind the gateway speaks. */
const serverRuns: readonly (readonly [Revision, Upstream])[] = [
  ['2026-07-28', 'contract'],
  ['2025-11-25', 'contract'],
  ['2026-07-28', 'modern'],
  ['2025-11-25', 'legacy'],
  ['2026-07-28', 'legacy'],
  ['2025-11-25', 'modern'],
];
/** The client leg: the adapter, which is a client to the servers behind the gateway. */
const clientRuns: readonly Revision[] = ['2026-07-28', '2025-11-25'];

const { values } = parseArgs({
  options: {
    /** Run `bin/cortex.ts` instead of the compiled file. */
    sources: { type: 'boolean', default: false },
    /** Keep the suite's reports here. */
    out: { type: 'string' },
    /** Only the runs whose name holds this. */
    only: { type: 'string' },
    /** Write the counts here as JSON. */
    json: { type: 'string' },
  },
});

if (!values.sources) await useCompiledBinary();
await using temporary = await createTempFolder();
const out = values.out === undefined ? temporary.path : resolve(values.out);
const expectedFailures = await readFile(join(import.meta.dirname, 'expected-failures.yaml'), 'utf8');
const verdicts: Verdict[] = [];
for (const [revision, upstream] of serverRuns) {
  if (isWanted(serverRunName(revision, upstream))) verdicts.push(await runServer(revision, upstream));
}
for (const revision of clientRuns) {
  if (isWanted(clientRunName(revision))) verdicts.push(await runClient(revision));
}

const passed = sum(verdicts.map((verdict) => verdict.passed));
/** What cannot pass is neither: its reason stands in expected-failures.yaml. */
const failed = sum(verdicts.map(({ unexpected, stale }) => unexpected.length + stale.length));
const isAsExpected = verdicts.every(
  (verdict) => verdict.unexpected.length === 0 && verdict.stale.length === 0,
);
if (values.json !== undefined) await Bun.write(values.json, JSON.stringify({ passed, failed }));
process.exitCode = isAsExpected ? 0 : 1;

async function runServer(revision: Revision, upstream: Upstream): Promise<Verdict> {
  const name = serverRunName(revision, upstream);
  const folder = join(out, name.replaceAll(' ', '-'));
  await mkdir(folder, { recursive: true });
  await using stack = await startStack(upstream);
  return report(name, await runSuite(stack.url, revision, folder), () => stack.gatewayOutput());
}

async function runClient(revision: Revision): Promise<Verdict> {
  const name = clientRunName(revision);
  const folder = join(out, name.replaceAll(' ', '-'));
  await mkdir(folder, { recursive: true });
  return report(name, await runClientSuite(revision, folder), () => `see ${folder}`);
}

function report(name: string, results: readonly ScenarioResult[], output: () => string): Verdict {
  const reasons = parseExpectedFailures(expectedFailures, name);
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
  if (verdict.unexpected.length > 0) print('--- what was written:', output().slice(-4000));
  print(`${name}: ${verdict.passed}/${verdict.total}`);
  return verdict;
}

function serverRunName(revision: Revision, upstream: Upstream): string {
  return `server ${revision} over ${upstream}`;
}

function clientRunName(revision: Revision): string {
  return `client ${revision}`;
}

function isWanted(name: string): boolean {
  return values.only === undefined || name.includes(values.only);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}
