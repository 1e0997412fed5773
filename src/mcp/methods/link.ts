import { toAbortSignal } from '#kernel/cancellation.ts';
import type { BackendId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { complete, type Facts, type McpCall, type MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';
import { readRetry } from '../interactive.ts';
import { answerWithLink, type LinkAnswer } from '../link-answer.ts';
import type { PersonalServer } from '../personal-servers.ts';
import type { Refusal } from '../refusal.ts';
import { toolError } from '../tool-result.ts';

/** `<server>_link`: the page where the caller links its own account there, or the word that it has. */
export async function callLink(
  deps: EdgeDeps,
  call: McpCall,
  { backend, linkScopes }: PersonalServer,
): Promise<MethodReply> {
  const { principal, facts } = call;
  const server = backend.id;
  facts.scopes = linkScopes;
  const retry = retryOf(deps, call, server, facts.tool ?? server, {});
  if (!retry.ok) return retry;
  const signal = AbortSignal.any([
    toAbortSignal(call.signal),
    AbortSignal.timeout(limits.personalListsDeadlineMs),
  ]);
  const known = await backend.personal.refresh(principal, signal);
  // What is stale may be so because the link has died: then it takes another.
  if (known.kind !== 'unlinked' && !(known.kind === 'listed' && known.isStale)) {
    facts.backend = server;
    const text = `Your account at ${server} is linked. Its tools are in the list.`;
    return complete(`"content":[{"type":"text","text":${JSON.stringify(text)}}]`);
  }
  const link = await linkFor(deps, call, server, facts.tool ?? server, {});
  return link.ok ? toolLinkReply(facts, server, link.value) : link;
}

/** The link to a server where a call would go: the same call, sent again, goes there once an account is linked. */
export async function linkFor(
  deps: EdgeDeps,
  call: McpCall,
  server: BackendId,
  target: string,
  parameters: unknown,
): Promise<Result<LinkAnswer, Refusal>> {
  call.facts.backend = server;
  const retry = retryOf(deps, call, server, target, parameters);
  return retry.ok ? ok(await answerWithLink(deps, call, server, retry.value)) : retry;
}

function retryOf(
  deps: EdgeDeps,
  call: McpCall,
  backend: BackendId,
  target: string,
  parameters: unknown,
): Result<Parameters<typeof answerWithLink>[3], Refusal> {
  const { principal, method } = call;
  const binding = { principal, method, target, backend, parameters };
  const retry = readRetry(deps.interactive, call, binding);
  if (!retry.ok) return retry;
  const { wasRefused, ...carried } = retry.value;
  return ok({ binding, carried, wasRefused });
}

/** A tool that needs an account: the question of the era, or a result that holds the link. */
export function toolLinkReply(facts: Facts, server: string, link: LinkAnswer): MethodReply {
  facts.code = 'link_required';
  facts.outcome = link.kind === 'ask' ? 'input_required' : 'error';
  if (link.kind === 'ask') return ok(link.body);
  if (link.kind === 'refused') return err(link.refusal);
  return toolError(link.text, { reason: 'link_required', server, url: link.url });
}

/** A prompt or resource that needs an account: the question of the era, or an error that holds the link. */
export function plainLinkReply(facts: Facts, link: LinkAnswer): MethodReply {
  facts.code = 'link_required';
  facts.outcome = link.kind === 'ask' ? 'input_required' : 'error';
  if (link.kind === 'ask') return ok(link.body);
  if (link.kind === 'refused') return err(link.refusal);
  return err({ reason: 'link_required', message: link.text, elicitation: undefined });
}
