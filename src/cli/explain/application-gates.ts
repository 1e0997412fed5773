import { mirroredHeaders } from '#adapter/mirrored-headers.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson, stringAt } from '#kernel/json.ts';
import { Secret } from '#kernel/secret.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { paramHeaders } from '#wire/param-headers.ts';
import { modernRpc } from '../doctor/rpc.ts';
import { release } from '../release.ts';
import { exchange, whyNone } from '../stdio/exchange.ts';
import { onlyToken } from '../stdio/tokens.ts';
import { createUpstream } from '../stdio/upstream.ts';
import type { CallGate } from './call-gates.ts';

export interface AskedApplication {
  /** The running gateway, as this machine reaches it. */
  readonly url: string;
  readonly token: string;
  readonly tool: string;
  /** Whose tool it is. */
  readonly owner: string;
  readonly inputSchema: JsonObject;
  /** Undefined: the tool is not called. */
  readonly args: JsonObject | undefined;
}

const shownCharacters = 300;
const withinMs = 60_000;

/** What the application says of the caller, and, where it may be called, of the call itself. All of it goes through the gateway. */
export async function applicationGates(asked: AskedApplication): Promise<readonly CallGate[]> {
  const outbound = createOutbound();
  const upstream = createUpstream({
    url: asked.url,
    outbound,
    tokens: onlyToken(new Secret(asked.token)),
    userAgent: `cortex-explain/${release.version}`,
    note: () => {},
  });
  async function call(name: string, args: JsonObject, mirrored: Readonly<Record<string, string>>) {
    const { headers, body } = modernRpc({ token: undefined }, 'tools/call', { name, arguments: args });
    const done = await exchange(upstream, {
      id: 1,
      text: body,
      headers: { ...headers, ...mirrored },
      signal: AbortSignal.timeout(withinMs),
      isStream: false,
      isRepeatable: false,
      onMessage: () => {},
    });
    return { done, result: done.response?.message.result, error: done.response?.message.error };
  }
  try {
    const who = await call('whoami', {}, {});
    const said = saidBy(who.result, asked.owner);
    if (asked.args === undefined) return [uncalledGate(said)];
    const params = paramHeaders(asked.inputSchema);
    const made = await call(
      asked.tool,
      asked.args,
      params.ok ? mirroredHeaders(params.value, asked.args) : {},
    );
    return [verdict(made.result, made.error, whyNone(made.done, 'tools/call'), knownAs(said))];
  } finally {
    await outbound.close();
  }
}

function verdict(
  result: JsonObject | undefined,
  error: JsonObject | undefined,
  why: string,
  known: string | undefined,
): CallGate {
  const gate = 'application';
  if (result === undefined) {
    const detail = `the gateway did not pass it on: ${error === undefined ? why : (stringAt(error, 'message') ?? why)}`;
    return { gate, isPassed: false, detail, fix: 'the audit has the reason: cortex audit tail' };
  }
  if (result.resultType === 'input_required')
    return {
      gate,
      isPassed: false,
      detail: 'it asks the caller something before it answers',
      fix: 'call it from an agent that can ask: only a person can answer',
    };
  const said = clipped(textOf(result));
  if (result.isError !== true) return { gate, isPassed: true, detail: `answered: ${said}` };
  const as = known === undefined ? '' : `; it knows the caller as ${known}`;
  return {
    gate,
    isPassed: false,
    detail: `refused: ${said}`,
    fix: `this is the application’s own decision${as}: its owner can change it`,
  };
}

/** What keeps an application from saying who the caller is, and would keep it from the call as well. */
const hindrances: ReadonlyMap<string, string> = new Map([
  [
    'token_refused',
    'have it trust the issuer of this token, and the audience: docs/identity-modes.md; cortex backend check tries both',
  ],
  ['unreachable', 'start it, or put its url right: cortex doctor --config FILE asks it'],
  ['breaker_open', 'see why it fails: cortex doctor --config FILE asks it'],
  ['identity_refused', 'see which identity it is to be told: docs/identity-modes.md'],
  ['identity_unavailable', 'try again in a moment'],
]);

/** The verdict where the tool is not called: by what the application said, or did not say, of the caller. */
export function uncalledGate(said: JsonValue | undefined): CallGate {
  const gate = 'application';
  const reason = whyNotSaid(said);
  const fix = hindrances.get(reason ?? '');
  if (reason !== undefined && fix !== undefined)
    return { gate, isPassed: false, detail: `it was asked who the caller is there: ${reason}`, fix };
  const known = knownAs(said);
  const silent = `it does not say who the caller is there${reason === undefined ? '' : ` (${reason})`}`;
  const detail = known === undefined ? silent : `knows the caller as ${known}`;
  return { gate, isPassed: true, detail: `${detail}; not called: --call '{}' does` };
}

/** What the application's own `whoami` said, by way of the gateway's. */
function saidBy(result: JsonObject | undefined, owner: string): JsonValue | undefined {
  const said = result === undefined ? undefined : parseJson(textOf(result));
  const all = said?.ok === true && isJsonObject(said.value) ? said.value.applications : undefined;
  return isJsonObject(all) ? all[owner] : undefined;
}

/** The gateway's reason where the application gave no answer. */
function whyNotSaid(said: JsonValue | undefined): string | undefined {
  return isJsonObject(said) ? stringAt(said, 'unavailable') : undefined;
}

function knownAs(said: JsonValue | undefined): string | undefined {
  if (said === undefined || whyNotSaid(said) !== undefined) return undefined;
  return clipped(typeof said === 'string' ? said : JSON.stringify(said));
}

function textOf({ content }: JsonObject): string {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  return blocks.flatMap((block) => (isJsonObject(block) ? [stringAt(block, 'text') ?? ''] : [])).join(' ');
}

function clipped(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= shownCharacters ? line : `${line.slice(0, shownCharacters)}…`;
}
