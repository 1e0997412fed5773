import { challengeScopesOf } from '#auth/protected-resource.ts';
import { createTechnicalRequest } from '#backends/technical-request.ts';
import type { BackendConfig, Config } from '#config/config.ts';
import type { ServerConfig } from '#config/server-config.ts';
import { parseTools } from '#contract/parse-tools.ts';
import { authOptionsOf, backendOptionsOf } from '#gateway-options.ts';
import { parseJson } from '#kernel/json.ts';
import { holdsAll } from '#kernel/principal.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { count } from '../output.ts';
import { release } from '../release.ts';
import { visibleText } from '../visible-text.ts';
import { type Finding, fail, ok, type Step, skipped, unreachable, warn } from './finding.ts';
import { causeOf, createProbe } from './probe.ts';

const slowMs = 2_000;

/** Each application and server of the configuration, as the gateway asks them; one that is down stops no other. */
export function backendSteps(
  config: Config,
  outbound: Outbound,
  { hasSecrets }: { readonly hasSecrets: boolean },
): readonly Step[] {
  return [
    ...[...config.backends.values()].map((backend) => ({
      name: backend.id,
      run: () =>
        hasSecrets
          ? application(config, backend, outbound)
          : skipped('its token was not read: name the configuration with --config'),
    })),
    ...[...config.servers.values()].map((server) => ({
      name: server.id,
      run: () => thirdParty(server, outbound),
    })),
  ];
}

/** Reached, its token taken, and a list by the contract. */
async function application(config: Config, backend: BackendConfig, outbound: Outbound): Promise<Finding> {
  const { id } = backend;
  const options = backendOptionsOf(config, backend, release.version);
  const request = createTechnicalRequest(
    { ...options, timeoutMs: config.limits.pollTimeoutMs, maxBytes: config.limits.maxCatalogBytes },
    outbound,
  );
  const ask = async () => {
    const startedMs = performance.now();
    const answer = await request('list_tools', {}, undefined, new AbortController().signal);
    return { answer, ms: Math.round(performance.now() - startedMs) };
  };
  const first = await ask();
  // Whoever was asleep is asked again: what counts is how it is while it is used.
  const { answer, ms } = first.answer.ok && first.ms >= slowMs ? await ask() : first;
  if (!answer.ok)
    return unreachable(
      `${options.url} does not answer: ${causeOf(answer.error)}`,
      `start it, or correct backends.${id}.url; until then agents see its last good tools, and calls fail`,
    );
  const { status, body } = answer.value;
  if (status === 401 || status === 403)
    return fail(
      `${options.url} refuses the technical token (${status})`,
      `give backends.${id}.technical_token the value that the application was started with`,
    );
  if (status === 404 || status === 405)
    return fail(
      `${options.url} was answered ${status}`,
      `set backends.${id}.path to where the application answers; it is ${backend.path} unless said`,
    );
  const check = `cortex backend check ${options.url} --technical-token ...`;
  if (status !== 200)
    return fail(`list_tools was answered ${status}: ${excerpt(body)}`, `see its log; then: ${check}`);
  const json = parseJson(body);
  const parsed = json.ok ? parseTools(json.value, config.limits.maxToolsPerBackend) : undefined;
  if (parsed === undefined || !parsed.ok)
    return fail(`list_tools is answered otherwise than by the contract: ${excerpt(body)}`, check);
  const { definitions, problems } = parsed.value;
  const found = `${count(definitions.length, 'tool')} in ${ms} ms`;
  const details = problems.map(visibleText);
  if (problems.length > 0)
    return warn(`${found}; ${count(problems.length, 'definition')} with a problem`, check, { details });
  if (definitions.length === 0) return warn(found, `it offers nothing yet: ${check}`);
  const hidden = definitions.filter(({ scopes }) => scopes.length === 0);
  if (hidden.length > 0)
    return warn(
      `${found}; ${hidden.length} without a scope, which nobody sees`,
      'have the application name a scope for each tool: what names none is shown to nobody',
      { details: [hidden.map(({ name }) => name).join(', ')] },
    );
  if (!definitions.some(({ scopes }) => isAskedFor(config, scopes)))
    return warn(
      `${found}, and clients are told to ask for none of their scopes`,
      `name them in plans or auth.challenge_scopes: ${[...new Set(definitions.flatMap(({ scopes }) => scopes))].join(' ')}`,
    );
  return ms < slowMs
    ? ok(found)
    : warn(`${found}: slow`, `see what takes so long there; calls have backends.${id}.timeout`);
}

/** Whether a client that asks as it is told may come to hold these. Roles can give any. */
function isAskedFor(config: Config, scopes: readonly string[]): boolean {
  if (config.auth.issuers.some(({ roles }) => roles.size > 0)) return true;
  const asked = challengeScopesOf(authOptionsOf(config));
  const held = new Set([...asked, ...asked.flatMap((scope) => config.auth.scopeImplies.get(scope) ?? [])]);
  return holdsAll(held, scopes);
}

/** Only whether it is there: what it lists depends on whose account is linked. */
async function thirdParty({ id, endpoint }: ServerConfig, outbound: Outbound): Promise<Finding> {
  if (endpoint.kind === 'command') return skipped('a command: cortex catalog runs it');
  const { url } = endpoint;
  const startedMs = performance.now();
  const answer = await createProbe(outbound)('POST', url);
  const ms = Math.round(performance.now() - startedMs);
  if (!answer.ok)
    return unreachable(
      `${url} does not answer: ${answer.error}`,
      `check servers.${id}.url, DNS and firewall`,
    );
  const { status } = answer.value;
  if (status === 404 || status >= 500)
    return fail(`${url} was answered ${status}`, `check servers.${id}.url against its maker’s page`);
  return ok(`answers in ${ms} ms${status === 401 ? ', and wants each user’s own account' : ''}`);
}

const excerptLength = 80;

function excerpt(body: string): string {
  const text = visibleText(body.replaceAll(/\s+/g, ' ').trim());
  return text.length > excerptLength ? `${text.slice(0, excerptLength)}...` : text || 'nothing';
}
