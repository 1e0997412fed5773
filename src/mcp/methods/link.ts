import { toAbortSignal } from '#kernel/cancellation.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok } from '#kernel/result.ts';
import { complete, type Facts, type McpCall, type MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';
import { readRetry } from '../interactive.ts';
import { answerWithLink, type LinkAnswer } from '../link-answer.ts';
import type { PersonalServer } from '../personal-servers.ts';
import { toolError } from '../tool-result.ts';

/** `<server>_link`: the page where the caller links its own account there, or the word that it has. */
export async function callLink(
  deps: EdgeDeps,
  call: McpCall,
  { backend, linkScopes }: PersonalServer,
): Promise<MethodReply> {
  const { principal, facts } = call;
  const server = backend.id;
  facts.backend = server;
  facts.scopes = linkScopes;
  const binding = {
    principal,
    method: call.method,
    target: facts.tool ?? server,
    backend: server,
    parameters: {},
  };
  const retry = readRetry(deps.interactive, call, binding);
  if (!retry.ok) return retry;
  const signal = AbortSignal.any([
    toAbortSignal(call.signal),
    AbortSignal.timeout(limits.personalListsDeadlineMs),
  ]);
  const known = await backend.personal.refresh(principal, signal);
  // What is stale may be so because the link has died: then it takes another.
  if (known.kind !== 'unlinked' && !(known.kind === 'listed' && known.isStale)) {
    const text = `Your account at ${server} is linked. Its tools are in the list.`;
    return complete(`"content":[{"type":"text","text":${JSON.stringify(text)}}]`);
  }
  const { wasRefused, ...carried } = retry.value;
  return toolLinkReply(
    facts,
    server,
    await answerWithLink(deps, call, server, { binding, carried, wasRefused }),
  );
}

/** A tool that needs an account: the question of the era, or a result that holds the link. */
export function toolLinkReply(facts: Facts, server: string, link: LinkAnswer): MethodReply {
  facts.code = 'link_required';
  facts.outcome = link.kind === 'ask' ? 'input_required' : 'error';
  if (link.kind === 'ask') return ok(link.body);
  if (link.kind === 'refused') return err(link.refusal);
  return toolError(link.text, { reason: 'link_required', server, url: link.url });
}
