import { toAbortSignal } from '#kernel/cancellation.ts';
import type { BackendId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { complete, type Facts, type McpCall, type MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';
import { readRetry } from '../interactive.ts';
import { answerWithLink, type LinkAnswer } from '../link-answer.ts';
import type { PersonalPart } from '../personal-part.ts';
import type { PersonalServer } from '../personal-servers.ts';
import type { Refusal } from '../refusal.ts';
import { toolError } from '../tool-result.ts';
import { unlinkedOwner } from '../unlinked-owner.ts';

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
  const ask = () => {
    const deadline = AbortSignal.timeout(limits.personalListsDeadlineMs);
    return backend.personal.refresh(principal, AbortSignal.any([toAbortSignal(call.signal), deadline]));
  };
  let known = await ask();
  const again = lookingAgain(deps, call, server, retry.value.said);
  while (known.kind === 'unlinked' && (await again())) known = await ask();
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
  const { said, ...carried } = retry.value;
  return ok({ binding, carried, said });
}

/** Waits for the link that the user has just opened; false: it is of no use, or not any more. */
function lookingAgain(
  { linkWaits }: EdgeDeps,
  { principal, signal }: McpCall,
  server: BackendId,
  said: 'opened' | 'refused' | undefined,
): () => Promise<boolean> {
  const deadlineMs = said === 'opened' ? linkWaits.deadline() : 0;
  return () => linkWaits.mayBeLinked(principal, server, signal, deadlineMs);
}

/**
 * What is the caller's own, and the server that an account is missing for, if something asked can only be there. A call
 * that comes back from a link waits for it first.
 */
export async function ownPart(
  deps: EdgeDeps,
  call: McpCall,
  asked: { readonly name: string } | { readonly uri: string },
  parameters: unknown,
): Promise<{ readonly part: PersonalPart; readonly unlinked: BackendId | undefined }> {
  const { snapshot, principal } = call;
  const look = async () => {
    const part = await deps.personal.of(snapshot, principal);
    return { part, unlinked: unlinkedOwner(part, principal, asked) };
  };
  let seen = await look();
  if (seen.unlinked === undefined) return seen;
  const retry = retryOf(deps, call, seen.unlinked, 'name' in asked ? asked.name : asked.uri, parameters);
  const again = lookingAgain(deps, call, seen.unlinked, retry.ok ? retry.value.said : undefined);
  while (seen.unlinked !== undefined && (await again())) seen = await look();
  return seen;
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
