import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { startCheckIssuer } from '#demo/check-issuer.ts';
import { createOutbound } from '#outbound/outbound.ts';
import type { CheckedOutcome, Verdict } from '../backend-check/check.ts';
import { junitReport } from '../backend-check/junit.ts';
import { createProbe } from '../backend-check/probe.ts';
import { runChecks } from '../backend-check/run-checks.ts';
import type { Invocation } from '../command.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, type Output, type Style } from '../output.ts';

const defaultPath = '/api/cortex/backend';
const defaultAudience = 'http://127.0.0.1:3213/mcp';
const defaultTimeoutMs = 10_000;

/** Goes through the contract with a backend. Exit codes: 0 no failure, 1 some, 3 it could not be reached. */
export async function backendCheck({ args, options, terminal, output }: Invocation): Promise<number> {
  const url = endpointOf(args[0] ?? '');
  const technicalToken = options.text('technical-token') ?? terminal.environment.CORTEX_TECHNICAL_TOKEN;
  if (technicalToken === undefined || technicalToken === '') {
    throw new UserError('the technical token is needed: the lists are read with it', {
      next: 'add --technical-token, or set CORTEX_TECHNICAL_TOKEN to what the backend was started with',
    });
  }
  const token = options.text('token');
  if (token === undefined && options.text('token-other') !== undefined)
    throw new UserError('--token-other goes with --token', { next: 'add --token' });
  const audience = options.text('audience') ?? defaultAudience;
  const outbound = createOutbound();
  const probe = createProbe(outbound, url, numberOf(options.text('timeout'), 'timeout') ?? defaultTimeoutMs);
  const issuerPort = numberOf(options.text('issuer-port'), 'issuer-port') ?? 0;
  const issuer = token === undefined ? await startCheckIssuer(audience, issuerPort) : undefined;
  try {
    const first = await probe({ method: 'list_tools', token: technicalToken });
    if (!first.isReached) {
      throw new UserError(`${url} cannot be reached: ${first.problem}`, {
        exitCode: exitCodes.unreachable,
        next: 'start the backend, then run this again',
      });
    }
    if (issuer !== undefined) {
      output.note(`users are ada and bob of the issuer ${issuer.url}, for the audience ${audience}`);
      output.note('the backend must trust it: OAUTH_ISSUER unset on this machine, or set to that address');
    }
    const tokens = token === undefined ? undefined : ([token, options.text('token-other')] as const);
    const check = () =>
      runChecks({ probe, technicalToken, tokens, issuer }, (outcome) => {
        if (!output.isJson) showOutcome(output, outcome);
      });
    // For people each outcome is a line as it comes.
    const outcomes = await (output.isJson ? output.during('checking the backend', check) : check());
    const junit = options.text('junit');
    if (junit !== undefined) await writeFile(resolve(terminal.cwd, junit), junitReport(url, outcomes));
    const failed = numberWith(outcomes, 'fail');
    if (output.isJson) output.document({ url, failed, checks: outcomes.map(outcomeJson) });
    else output.line(summaryOf(outcomes));
    return failed === 0 ? exitCodes.done : exitCodes.no;
  } finally {
    await Promise.all([issuer?.close(), outbound.close()]);
  }
}

/** The contract's own path, where the address has none. */
function endpointOf(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new UserError(`${JSON.stringify(text)} is no address of a backend`, {
      next: 'write it as http://127.0.0.1:4820',
    });
  }
  const { pathname } = new URL(text);
  return pathname === '/' ? text.replace(/\/$/, '') + defaultPath : text;
}

function numberOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,6}$/.test(text))
    throw new UserError(`--${name} takes a number`, { next: `write --${name} 4899` });
  return Number(text);
}

const marks: Readonly<Record<Verdict['outcome'], readonly [string, Style]>> = {
  pass: ['ok  ', 'green'],
  warn: ['warn', 'yellow'],
  fail: ['FAIL', 'red'],
  skip: ['skip', 'dim'],
};

function showOutcome(output: Output, { check, verdict }: CheckedOutcome): void {
  const [mark, style] = marks[verdict.outcome];
  output.line(`${output.paint(style, mark)}  ${check.title}  ${output.paint('dim', `(${check.clause})`)}`);
  if (verdict.detail !== undefined) output.line(`      ${verdict.detail}`);
}

function numberWith(outcomes: readonly CheckedOutcome[], wanted: Verdict['outcome']): number {
  return outcomes.filter(({ verdict }) => verdict.outcome === wanted).length;
}

function summaryOf(outcomes: readonly CheckedOutcome[]): string {
  const of = (wanted: Verdict['outcome']) => numberWith(outcomes, wanted);
  return `${count(of('pass'), 'check')} passed, ${of('fail')} failed, ${of('warn')} to look at, ${of('skip')} skipped`;
}

function outcomeJson({ check, verdict, ms }: CheckedOutcome) {
  const { id, clause, title } = check;
  return { id, clause, title, outcome: verdict.outcome, detail: verdict.detail, ms: Math.round(ms) };
}
