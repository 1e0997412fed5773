import type { BackendId } from '#kernel/ids.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import type { McpCall, ResultBody } from './call.ts';
import type { EdgeDeps } from './deps.ts';
import { missingCapabilities } from './questions.ts';
import type { Refusal } from './refusal.ts';
import type { Carried, StateBinding } from './request-state.ts';

/** The key of our question in `inputRequests`. */
const QUESTION = 'link';
/** As `clientCapabilities` declares it. */
const byUrl = [{ key: QUESTION, method: 'elicitation/create', params: { mode: 'url' } }];

/** How a caller is told that it has to link an account: by a question of its era, or in words. */
export type LinkAnswer =
  | { readonly kind: 'ask'; readonly body: ResultBody }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'told'; readonly text: string; readonly url: string };

/**
 * Sends a caller to the page where it links its own account at a server. The link is a question where the client can
 * be asked to open a page, and words where it cannot, or where the user has said no to the question before.
 * Sources: MCP 2026-07-28 patterns/mrtr; 2025-11-25 client/elicitation "URL Elicitation Required Error".
 */
export async function answerWithLink(
  deps: Pick<EdgeDeps, 'interactive' | 'links' | 'linkWaits'>,
  call: McpCall,
  server: BackendId,
  asked: {
    readonly binding: StateBinding;
    readonly carried: Carried;
    readonly said: 'opened' | 'refused' | undefined;
  },
): Promise<LinkAnswer> {
  const { principal, session } = call;
  const { url, id } = await deps.links.invite(principal, server);
  const message = `${server} is used with your own account there. Link it on this page, then go on.`;
  const text = `${server} needs your own account there, and none is linked, or it has to be linked again. Open this page, then call again: ${url}`;
  const canOpen = missingCapabilities(byUrl, call.client.capabilities) === undefined;
  if (!canOpen || asked.said === 'refused') return { kind: 'told', text, url };
  if (call.era === 'modern') {
    const params = { mode: 'url', message, url };
    const inputRequests = JSON.stringify({ [QUESTION]: { method: 'elicitation/create', params } });
    const requestState = JSON.stringify(deps.interactive.states.sealLink(asked.binding, asked.carried));
    const members = `"inputRequests":${inputRequests},"requestState":${requestState}`;
    return { kind: 'ask', body: { members, meta: undefined, resultType: 'input_required' } };
  }
  if (session !== undefined)
    deps.linkWaits.add({ principal, server, sessionId: session.id, elicitationId: id });
  const elicitation = { mode: 'url', elicitationId: id, url, message };
  return { kind: 'refused', refusal: { reason: 'link_required', message: text, elicitation } };
}

/** What the user made of the question, as far as the client told. */
export function answerToLink(inputResponses: JsonObject | undefined): 'opened' | 'refused' | undefined {
  const answer = inputResponses?.[QUESTION];
  if (!isJsonObject(answer)) return undefined;
  if (answer.action === 'accept') return 'opened';
  return answer.action === 'decline' || answer.action === 'cancel' ? 'refused' : undefined;
}
