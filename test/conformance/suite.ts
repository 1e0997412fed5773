import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isRecord } from './fixture-tools.ts';

const suiteFolder = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance');

export type Revision = '2026-07-28' | '2025-11-25';

/** What became of one scenario. `problems` are its failed checks and warnings; empty where it passed. */
export interface ScenarioResult {
  readonly scenario: string;
  readonly isScored: boolean;
  readonly problems: readonly string[];
}

type Leg = 'server' | 'client';

/** Runs the official suite's server leg for one revision, and reads what it wrote down. */
export async function runSuite(
  url: string,
  revision: Revision,
  outFolder: string,
): Promise<readonly ScenarioResult[]> {
  const output = await suite(['server', '--url', url, '--requirements', revision, '-o', outFolder]);
  await Bun.write(join(outFolder, 'output.txt'), output);
  return resultsIn(outFolder, await scoredScenarios(revision, 'server'));
}

const clientsAtOnce = 2;

/**
 * Runs the scenarios of the client leg. The suite by itself starts all clients at the same moment, which on a small
 * machine measures patience; here it runs a few scenarios at a time.
 */
export async function runClientSuite(
  revision: Revision,
  outFolder: string,
): Promise<readonly ScenarioResult[]> {
  const built = await Bun.build({
    entrypoints: [join(import.meta.dirname, 'adapter-client.ts')],
    target: 'bun',
    outdir: join(outFolder, 'client'),
  });
  const command = `${process.execPath} ${built.outputs[0]?.path}`;
  const results = join(outFolder, 'results');
  const scored = await scoredScenarios(revision, 'client');
  const waiting = [...scored];
  const worker = async (): Promise<void> => {
    for (let scenario = waiting.shift(); scenario !== undefined; scenario = waiting.shift()) {
      const which = ['--scenario', scenario, '--spec-version', revision];
      const output = await suite(['client', '--command', command, ...which, '-o', results]);
      await Bun.write(join(outFolder, 'output', `${scenario}.txt`), output);
    }
  };
  await Promise.all(Array.from({ length: clientsAtOnce }, worker));
  return resultsIn(results, scored);
}

/** What the suite printed. */
async function suite(args: readonly string[]): Promise<string> {
  const child = Bun.spawn([process.execPath, join(suiteFolder, 'dist', 'index.js'), ...args], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return stdout + stderr;
}

async function resultsIn(outFolder: string, scored: readonly string[]): Promise<readonly ScenarioResult[]> {
  const problems = await problemsByScenario(outFolder);
  const results: ScenarioResult[] = scored.map((scenario) => ({
    scenario,
    isScored: true,
    problems: problems.get(scenario) ?? ['the suite did not report on it'],
  }));
  for (const [scenario, found] of problems) {
    if (!scored.includes(scenario)) results.push({ scenario, isScored: false, problems: found });
  }
  return results;
}

/** The scenarios that count for a revision, as the suite ships them. */
export async function scoredScenarios(revision: Revision, leg: Leg): Promise<readonly string[]> {
  const file: unknown = parse(await readFile(join(suiteFolder, 'requirements', `${revision}.yaml`), 'utf8'));
  const scenarios = isRecord(file) ? file[leg] : undefined;
  if (!Array.isArray(scenarios) || scenarios.length === 0)
    throw new Error(`the suite lists nothing for ${revision}`);
  return scenarios.map(String);
}

async function problemsByScenario(outFolder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const entry of await readdir(outFolder, { recursive: true })) {
    const scenario = /^(?:server-)?(.+)-\d{4}-\d\d-\d\dT[\d-]+Z\/checks\.json$/.exec(entry)?.[1];
    if (scenario === undefined) continue;
    const text = await readFile(join(outFolder, entry), 'utf8').catch(() => '"it broke off"');
    const checks: unknown = JSON.parse(text);
    found.set(scenario, Array.isArray(checks) ? checks.flatMap(problemOf) : ['its report cannot be read']);
  }
  return found;
}

function problemOf(check: unknown): readonly string[] {
  if (!isRecord(check)) return ['its report cannot be read'];
  if (check.status !== 'FAILURE' && check.status !== 'WARNING') return [];
  return [`${String(check.status)} ${String(check.id)}: ${String(check.errorMessage ?? check.description)}`];
}
