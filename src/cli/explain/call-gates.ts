import { peekToken } from '#auth/peek-token.ts';
import type { Config } from '#config/config.ts';
import { matchesGlob } from '#kernel/glob.ts';
import { isBackendId } from '#kernel/ids.ts';

/** One of the gates between a call and its answer, in the order in which they are passed. */
export interface CallGate {
  readonly gate: string;
  readonly isPassed: boolean;
  readonly detail: string;
  /** What to do about it, or to type. */
  readonly fix?: string;
}

/** How many calls a minute the caller has: by plan, and by the tool's own limit. */
export function allowanceGate({ limits }: Config, tool: string, plan: string | undefined): CallGate {
  const ofPlan = plan === undefined ? undefined : limits.planCallsPerMinute.get(plan);
  const ofTool = [...limits.toolCallsPerMinute].find(([glob]) => matchesGlob(glob, tool));
  const ofAll = ofPlan ?? limits.callsPerMinute;
  const named = ofPlan === undefined ? '' : ` (plan ${plan})`;
  const own = ofTool === undefined ? '' : `; ${ofTool[1]} of this tool (${ofTool[0]})`;
  return { gate: 'allowance', isPassed: true, detail: `${ofAll} calls a minute${named}${own}` };
}

const words = {
  propagate: 'it gets the caller’s own token, unchanged',
  assert: 'it gets a token of the gateway’s, good for it alone, for a minute',
  exchange: 'it gets a token that the issuer makes for it alone',
  linked: 'it is called with the account that the caller linked there',
  static: 'it is called with the operator’s secret, the same for everybody',
  none: 'it is told nothing about the caller',
} as const;

/** Whose identity reaches the application, and whether this token can be sent on. */
export function identityGate(
  { backends, servers }: Config,
  owner: string,
  token: string | undefined,
): CallGate {
  const gate = 'identity';
  const id = isBackendId(owner) ? owner : undefined;
  const mode = id === undefined ? undefined : (backends.get(id)?.identity ?? servers.get(id)?.identity);
  if (mode === undefined) return { gate, isPassed: true, detail: 'the gateway answers by itself' };
  const isOpaque = token !== undefined && !peekToken(token).ok;
  if (mode === 'propagate' && isOpaque)
    return {
      gate,
      isPassed: false,
      detail: 'propagate: an opaque token is never sent on',
      fix: `have the gateway vouch for the caller: backends.${owner}.identity: assert`,
    };
  return { gate, isPassed: true, detail: `${mode}: ${words[mode]}` };
}
