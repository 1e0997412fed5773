import type { CatalogPrompt } from '#catalog/snapshot.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { holdsAll } from '#kernel/principal.ts';
import { err } from '#kernel/result.ts';
import type { McpCall, MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';
import { interact } from '../interactive.ts';
import { refuseHidden } from '../missing-scope.ts';
import { plainReply } from '../plain-reply.ts';
import { quarantineRefusal } from '../quarantine-refusal.ts';
import { linkFor, ownPart, plainLinkReply } from './link.ts';

/** prompts/get: visible, then the backend's own answer. */
export async function getPrompt(deps: EdgeDeps, call: McpCall): Promise<MethodReply> {
  const { name } = call.params;
  const args = call.params.arguments ?? {};
  if (typeof name !== 'string') return err({ reason: 'params_invalid', detail: 'name must be a string' });
  if (!isJsonObject(args)) return err({ reason: 'params_invalid', detail: 'arguments must be an object' });
  call.facts.tool = name;
  call.facts.params = JSON.stringify(args);
  const prompt = call.snapshot.prompts.get(name);
  return prompt === undefined
    ? getOwnPrompt(deps, call, name, args)
    : getListed(deps, call, name, prompt, args);
}

async function getOwnPrompt(
  deps: EdgeDeps,
  call: McpCall,
  name: string,
  args: JsonObject,
): Promise<MethodReply> {
  const refusal = quarantineRefusal(call, call.snapshot.quarantined.prompts.get(name), 'prompt', name);
  if (refusal !== undefined) return err(refusal);
  if (!deps.personal.concerns(call.principal)) return err({ reason: 'prompt_unknown', name });
  const { part, unlinked } = await ownPart(deps, call, { name }, args);
  const prompt = part.prompts.get(name);
  if (prompt !== undefined) return getListed(deps, call, name, prompt, args);
  const own = quarantineRefusal(call, part.quarantined.prompts.get(name), 'prompt', name);
  if (own !== undefined) return err(own);
  if (unlinked === undefined) return err({ reason: 'prompt_unknown', name });
  const link = await linkFor(deps, call, unlinked, name, args);
  return link.ok ? plainLinkReply(call.facts, link.value) : link;
}

async function getListed(
  deps: EdgeDeps,
  call: McpCall,
  name: string,
  prompt: CatalogPrompt,
  args: JsonObject,
): Promise<MethodReply> {
  const backend = deps.backend(prompt.backend);
  if (backend === undefined) return err({ reason: 'prompt_unknown', name });
  const { scopes } = prompt.definition;
  call.facts.scopes = scopes;
  if (!holdsAll(call.principal.scopes, scopes)) {
    return err(refuseHidden(deps, call, scopes, { reason: 'prompt_unknown', name }));
  }
  const binding = {
    principal: call.principal,
    method: call.method,
    target: name,
    backend: prompt.backend,
    parameters: args,
  };
  const done = await interact(deps, call, binding, (context) =>
    backend.prompt(prompt.definition.name, args, context),
  );
  return plainReply(deps, call, done, 'messages', { reason: 'prompt_unknown', name });
}
