import type { Backend } from '#backends/backend.ts';
import { uriScheme } from '#catalog/uri-scheme.ts';
import { err, ok } from '#kernel/result.ts';
import { architectureText, architectureUri } from '../builtins/architecture.ts';
import type { McpCall, MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';
import { cacheHints } from '../hints.ts';
import { interact } from '../interactive.ts';
import { plainReply } from '../plain-reply.ts';
import type { Refusal } from '../refusal.ts';
import { resourceTarget } from '../resource-target.ts';
import { sightOf, wholeOf } from '../sight.ts';
import { linkFor, ownPart, plainLinkReply } from './link.ts';

/** resources/read: the architecture page, or the backend's own answer. What a backend says is fresh for no time. */
export async function readResource(deps: EdgeDeps, call: McpCall): Promise<MethodReply> {
  const { uri } = call.params;
  if (typeof uri !== 'string') return err({ reason: 'params_invalid', detail: 'uri must be a string' });
  const reply = await readContents(deps, call, uri);
  if (!reply.ok || call.era === 'legacy' || reply.value.resultType !== 'complete') return reply;
  if (uri === architectureUri) {
    const seen = wholeOf(await sightOf(deps, call));
    return ok({ ...reply.value, members: reply.value.members + cacheHints(deps, call, seen) });
  }
  return ok({ ...reply.value, members: `${reply.value.members},"ttlMs":0,"cacheScope":"private"` });
}

/** The `contents` of one resource, in both eras; also behind the builtin `read_cortex_resource`. */
export async function readContents(deps: EdgeDeps, call: McpCall, uri: string): Promise<MethodReply> {
  call.facts.tool = uriScheme(uri);
  call.facts.params = uri;
  if (uri === architectureUri) {
    const text = architectureText(deps.settings().serverName, wholeOf(await sightOf(deps, call)));
    const contents = [{ uri, mimeType: 'text/markdown', text }];
    return ok({ members: `"contents":${JSON.stringify(contents)}`, meta: undefined, resultType: 'complete' });
  }
  const found = resourceTarget(deps, call, uri);
  const target = found instanceof Promise ? await found : found;
  return target.ok ? readFrom(deps, call, uri, target.value) : readOnceLinked(deps, call, uri, target.error);
}

async function readFrom(deps: EdgeDeps, call: McpCall, uri: string, backend: Backend): Promise<MethodReply> {
  const binding = {
    principal: call.principal,
    method: call.method,
    target: uri,
    backend: backend.id,
    parameters: uri,
  };
  const done = await interact(deps, call, binding, (context) => backend.read(uri, context));
  return plainReply(deps, call, done, 'contents', { reason: 'resource_unknown', uri });
}

/** A resource that is unknown for want of an account is answered with the way to link one. */
async function readOnceLinked(
  deps: EdgeDeps,
  call: McpCall,
  uri: string,
  refusal: Refusal,
): Promise<MethodReply> {
  if (refusal.reason !== 'resource_unknown' || !deps.personal.concerns(call.principal)) return err(refusal);
  const { unlinked } = await ownPart(deps, call, { uri }, uri);
  if (unlinked !== undefined) {
    const link = await linkFor(deps, call, unlinked, uri, uri);
    return link.ok ? plainLinkReply(call.facts, link.value) : link;
  }
  const target = await resourceTarget(deps, call, uri);
  return target.ok ? readFrom(deps, call, uri, target.value) : target;
}
