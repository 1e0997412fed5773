import { mirroredHeaders } from '#adapter/mirrored-headers.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson, stringAt } from '#kernel/json.ts';
import { Secret } from '#kernel/secret.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { paramHeaders } from '#wire/param-headers.ts';
import { modernRpc } from '../doctor/rpc.ts';
import { release } from '../release.ts';
import { exchange, whyNone } from '../stdio/exchange.ts';
import { givenToken } from '../stdio/tokens.ts';
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
    tokens: givenToken(new Secret(asked.token)),
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
    const known = knownAs(who.result, asked.owner);
    if (asked.args === undefined) {
      const detail =
        known === undefined ? 'it does not say who the caller is there' : `knows the caller as ${known}`;
      return [{ gate: 'application', isPassed: true, detail: `${detail}; not called: --call '{}' does` }];
    }
    const params = paramHeaders(asked.inputSchema);
    const made = await call(
      asked.tool,
      asked.args,
      params.ok ? mirroredHeaders(params.value, asked.args) : {},
    );
    return [verdict(made.result, made.error, whyNone(made.done, 'tools/call'), known)];
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

/** What the application's own `whoami` said, by way of the gateway's. */
function knownAs(result: JsonObject | undefined, owner: string): string | undefined {
  const said = result === undefined ? undefined : parseJson(textOf(result));
  const all = said?.ok === true && isJsonObject(said.value) ? said.value.applications : undefined;
  const own: JsonValue | undefined = isJsonObject(all) ? all[owner] : undefined;
  return own === undefined ? undefined : clipped(typeof own === 'string' ? own : JSON.stringify(own));
}

function textOf({ content }: JsonObject): string {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  return blocks.flatMap((block) => (isJsonObject(block) ? [stringAt(block, 'text') ?? ''] : [])).join(' ');
}

function clipped(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= shownCharacters ? line : `${line.slice(0, shownCharacters)}…`;
}
