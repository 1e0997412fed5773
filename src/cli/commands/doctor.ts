import { lookup } from 'node:dns/promises';
import type { AuthOptions } from '#auth/options.ts';
import { challengeScopesOf } from '#auth/protected-resource.ts';
import type { LoadedConfig } from '#config/load-config.ts';
import { authOptionsOf } from '#gateway-options.ts';
import { err, ok } from '#kernel/result.ts';
import { inspectTls } from '#outbound/inspect-tls.ts';
import { isLoopbackHost } from '#outbound/loopback.ts';
import { createOutbound } from '#outbound/outbound.ts';
import type { Invocation } from '../command.ts';
import { backendSteps } from '../doctor/backend-steps.ts';
import { type Examined, examine } from '../doctor/examine.ts';
import type { Known, Step, StepDeps } from '../doctor/finding.ts';
import { createProbe } from '../doctor/probe.ts';
import { exitCodeOf, firstFault, reportOf, showStep } from '../doctor/report.ts';
import { signInStep } from '../doctor/sign-in-step.ts';
import { createWatchStream } from '../doctor/watch-stream.ts';
import { UserError } from '../errors.ts';
import { givenToken } from '../given-token.ts';
import { requireConfig } from '../require-config.ts';

const hostedClient = 'https://claude.ai';
const defaultListenSeconds = 15;
const maxListenSeconds = 3_600;

/** Takes the steps of a client, and stops at the first that would fail one. Exit codes: 0, 1 failed, 3 no answer. */
export async function doctor(invocation: Invocation): Promise<number> {
  const { args, options, output, terminal } = invocation;
  const url = urlOf(args[0]);
  const listenMs = listenSecondsOf(options.text('listen-for')) * 1_000;
  const token = await givenToken(invocation, 'cortex doctor --token - < token.txt');
  const isConfigured = url === undefined || options.text('config') !== undefined;
  const loaded = isConfigured ? await requireConfig(invocation, false) : undefined;
  const start = startingPoint(url, loaded, token, options.text('origin'));
  const outbound = createOutbound();
  const backends =
    loaded === undefined ? [] : backendSteps(loaded.config, outbound, { hasSecrets: loaded.mayRunCommands });
  const taken: Examined[] = [];
  const say = (examined: Examined) => {
    taken.push(examined);
    const hasMany = start.options.issuers.length > 1;
    if (!output.isJson) showStep(output, examined, { hasMany, terminal });
  };
  const deps: StepDeps = {
    probe: createProbe(outbound),
    watch: createWatchStream(outbound),
    inspectTls,
    resolve,
    now: Date.now,
    listenMs,
    note: output.note,
  };
  try {
    await examine(
      {
        start,
        hasGateway: url !== undefined,
        isConfigured,
        signIn: options.has('sign-in') && token === undefined ? signInStep(invocation) : undefined,
        backends,
      },
      deps,
      say,
    );
  } finally {
    await outbound.close();
  }
  if (output.isJson) output.document(reportOf(taken));
  else output.note(closingWords(taken, backends, start, invocation));
  return exitCodeOf(taken);
}

async function resolve(host: string) {
  try {
    return ok((await lookup(host, { all: true })).map(({ address }) => address));
  } catch (error) {
    return err(error instanceof Error && 'code' in error ? String(error.code) : String(error));
  }
}

function urlOf(given: string | undefined): string | undefined {
  if (given === undefined || (/^https?:\/\//.test(given) && URL.canParse(given))) return given;
  throw new UserError(`${given} is no URL`, { next: 'cortex doctor https://mcp.example.com/mcp' });
}

function listenSecondsOf(given: string | undefined): number {
  const seconds = given === undefined ? defaultListenSeconds : Number(given);
  if (Number.isInteger(seconds) && seconds > 0 && seconds <= maxListenSeconds) return seconds;
  throw new UserError(`--listen-for takes seconds, up to ${maxListenSeconds}`, {
    next: 'write --listen-for 70',
  });
}

function startingPoint(
  url: string | undefined,
  loaded: LoadedConfig | undefined,
  token: string | undefined,
  origin: string | undefined,
): Known {
  const options = loaded === undefined ? nothingKnown(url ?? '') : authOptionsOf(loaded.config);
  const known = url ?? options.canonicalUrl;
  return {
    url: known,
    options,
    askedScopes: challengeScopesOf(options),
    addresses: [],
    origin: originOf(known, origin),
    isOriginNamed: origin !== undefined,
    proxy: undefined,
    gatewayAheadSeconds: undefined,
    issuer: options.issuers[0] ?? { url: '' },
    metadata: undefined,
    keySet: undefined,
    clockAheadSeconds: undefined,
    token,
    doubt: undefined,
    session: undefined,
  };
}

/** No page of elsewhere gets to this machine. */
function originOf(url: string, given: string | undefined): string | undefined {
  if (given === undefined) return isLoopbackHost(new URL(url).hostname) ? undefined : hostedClient;
  if (given === 'none') return undefined;
  if (URL.parse(given)?.origin === given) return given;
  throw new UserError(`--origin takes an origin, or none, not ${JSON.stringify(given)}`, {
    next: `write --origin ${hostedClient}`,
  });
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

function closingWords(
  taken: readonly Examined[],
  backends: readonly Step[],
  { url }: Known,
  { args, options }: Invocation,
): string {
  const fault = firstFault(taken);
  if (fault !== undefined) {
    const isStopped = backends.every(({ name }) => name !== fault.step);
    return `${isStopped ? 'Stopped at' : 'Look at'} ${fault.step}: put it right, then run this again.`;
  }
  const warnings = taken.filter(({ finding }) => finding.status === 'warning').length;
  const remark =
    warnings === 0
      ? 'Nothing stands in a client’s way'
      : `A client gets through; ${warnings} of the steps may stop some`;
  if (args[0] === undefined) return `${remark}. To go a client’s way: cortex doctor ${url}`;
  const hasToken = options.text('token') !== undefined || options.has('sign-in');
  return hasToken
    ? `${remark}.`
    : `${remark}. To go on with a token, through list, call and streams: cortex doctor ${url} --sign-in`;
}
