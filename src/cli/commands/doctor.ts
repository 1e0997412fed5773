import type { AuthOptions, IssuerOptions } from '#auth/options.ts';
import { peekToken } from '#auth/peek-token.ts';
import { presets } from '#auth/presets/table.ts';
import { challengeScopesOf } from '#auth/protected-resource.ts';
import { authOptionsOf } from '#gateway-options.ts';
import type { JsonValue } from '#kernel/json.ts';
import { createOutbound } from '#outbound/outbound.ts';
import type { Invocation } from '../command.ts';
import { type Examined, takeSteps } from '../doctor/examine.ts';
import type { FindingStatus, Known, StepDeps } from '../doctor/finding.ts';
import { gatewaySteps } from '../doctor/gateway-steps.ts';
import { issuerSteps } from '../doctor/issuer-steps.ts';
import { createProbe } from '../doctor/probe.ts';
import { tokenSteps } from '../doctor/token-steps.ts';
import { UserError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { requireConfig } from '../require-config.ts';

/** Takes the steps of a client, and stops at the first that would fail one. Exit codes: 0, 1 failed, 3 no answer. */
export async function doctor(invocation: Invocation): Promise<number> {
  const { args, output } = invocation;
  const token = await tokenOf(invocation);
  const known = await startingPoint(args[0], token, invocation);
  const outbound = createOutbound();
  const taken: Examined[] = [];
  const say = (examined: Examined) => {
    taken.push(examined);
    if (!output.isJson) show(output, examined, known.options.issuers.length > 1);
  };
  try {
    await examine(known, args[0] !== undefined, { probe: createProbe(outbound), now: Date.now }, say);
  } finally {
    await outbound.close();
  }
  const last = taken.at(-1)?.finding.status ?? 'failed';
  if (output.isJson) output.document(report(taken, last));
  else output.note(closingWords(taken, last, invocation));
  if (last === 'unreachable') return exitCodes.unreachable;
  return last === 'failed' ? exitCodes.no : exitCodes.done;
}

async function examine(
  start: Known,
  hasUrl: boolean,
  deps: StepDeps,
  say: (examined: Examined) => void,
): Promise<void> {
  const gateway = await takeSteps(hasUrl ? gatewaySteps : [], start, deps, undefined, say);
  if (gateway.hasFailed) return;
  const { token, options } = gateway.known;
  const ofToken = token === undefined ? undefined : issuerOf(token, options.issuers);
  for (const issuer of options.issuers) {
    const about = { ...gateway.known, issuer, metadata: undefined, keySet: undefined };
    const seen = await takeSteps(issuerSteps, about, deps, issuer.url, say);
    if (seen.hasFailed) return;
    if (token === undefined || issuer !== ofToken) continue;
    if ((await takeSteps(tokenSteps, seen.known, deps, issuer.url, say)).hasFailed) return;
  }
}

/** Whose token it says it is; one of nobody's is explained against the first. */
function issuerOf(token: string, issuers: readonly IssuerOptions[]): IssuerOptions | undefined {
  const peeked = peekToken(token);
  const named = peeked.ok ? peeked.value.issuer : undefined;
  const spells = ({ preset = 'generic', url }: IssuerOptions) =>
    named !== undefined && presets[preset].spellings(url).includes(named);
  return issuers.find(spells) ?? issuers[0];
}

async function startingPoint(
  url: string | undefined,
  token: string | undefined,
  invocation: Invocation,
): Promise<Known> {
  if (url !== undefined && !/^https?:\/\//.test(url))
    throw new UserError(`${url} is no URL`, { next: 'cortex doctor https://mcp.example.com/mcp' });
  const isConfigured = url === undefined || invocation.options.text('config') !== undefined;
  const options = isConfigured
    ? authOptionsOf((await requireConfig(invocation, false)).config)
    : nothingKnown(url);
  return {
    url: url ?? options.canonicalUrl,
    options,
    askedScopes: challengeScopesOf(options),
    issuer: options.issuers[0] ?? { url: '' },
    metadata: undefined,
    keySet: undefined,
    clockAheadSeconds: undefined,
    token,
  };
}

function nothingKnown(url: string): AuthOptions {
  return {
    canonicalUrl: url,
    issuers: [],
    baselineScopes: [],
    challengeScopes: [],
    plans: new Map(),
    scopeImplies: new Map(),
    requiredPool: undefined,
  };
}

/** `-` reads it from stdin: what stands on the command line is seen by everybody on the machine. */
async function tokenOf({ options, terminal }: Invocation): Promise<string | undefined> {
  const given = options.text('token');
  if (given !== '-') return given;
  const line = await terminal.readLine?.(AbortSignal.timeout(60_000));
  if (line === undefined || line.trim() === '')
    throw new UserError('no token came on stdin', { next: 'cortex doctor --token - < token.txt' });
  return line.trim();
}

const styles = {
  ok: 'green',
  warning: 'yellow',
  failed: 'red',
  unreachable: 'red',
  skipped: 'dim',
} as const satisfies Record<FindingStatus, string>;

function show(output: Output, { step, issuer, finding }: Examined, hasMany: boolean): void {
  const { status, found, fix, details = [] } = finding;
  const of = hasMany && issuer !== undefined ? ` [${issuer}]` : '';
  output.line(`${output.paint(styles[status], status.padEnd(11))} ${step.padEnd(12)} ${found}${of}`);
  for (const detail of details) output.line(`${' '.repeat(25)}${detail}`);
  if (fix !== undefined) output.line(`${' '.repeat(25)}fix: ${fix}`);
}

function report(taken: readonly Examined[], last: FindingStatus): JsonValue {
  return {
    ok: last !== 'failed' && last !== 'unreachable',
    steps: taken.map(({ step, issuer, finding }) => ({
      step,
      issuer: issuer ?? null,
      status: finding.status,
      found: finding.found,
      fix: finding.fix ?? null,
      details: [...(finding.details ?? [])],
    })),
  };
}

function closingWords(
  taken: readonly Examined[],
  last: FindingStatus,
  { args, options }: Invocation,
): string {
  if (last === 'failed' || last === 'unreachable')
    return `Stopped at ${taken.at(-1)?.step}: put it right, then run this again.`;
  const warnings = taken.filter(({ finding }) => finding.status === 'warning').length;
  const remark =
    warnings === 0
      ? 'Nothing stands in a client’s way'
      : `A client gets through; ${warnings} of the steps may stop some`;
  const next =
    options.text('token') === undefined
      ? ` To have a token explained: cortex doctor ${args[0] ?? ''} --token -`
      : '';
  return `${remark}.${next.replace('  ', ' ')}`;
}
