import type { CatalogPrompt } from '#catalog/snapshot.ts';
import { isJsonObject } from '#kernel/json.ts';
import { holdsAll } from '#kernel/principal.ts';
import { err } from '#kernel/result.ts';
import type { McpCall, MethodReply } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';
import { interact } from '../interactive.ts';
import { refuseHidden } from '../missing-scope.ts';
import { plainReply } from '../plain-reply.ts';

/** prompts/get: visible, then the backend's own answer. */
export async function getPrompt(deps: EdgeDeps, call: McpCall): Promise<MethodReply> {
  const { name } = call.params;
  const args = call.params.arguments ?? {};
  if (typeof name !== 'string') return err({ reason: 'params_invalid', detail: 'name must be a string' });
  if (!isJsonObject(args)) return err({ reason: 'params_invalid', detail: 'arguments must be an object' });
  call.facts.tool = name;
  call.facts.params = JSON.stringify(args);
  const prompt = call.snapshot.prompts.get(name) ?? (await ownPrompt(deps, call, name));
  const backend = prompt && deps.backend(prompt.backend);
  if (prompt === undefined || backend === undefined) return err({ reason: 'prompt_unknown', name });
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

async function ownPrompt(
  { personal }: EdgeDeps,
  { snapshot, principal }: McpCall,
  name: string,
): Promise<CatalogPrompt | undefined> {
  if (!personal.concerns(principal)) return undefined;
  return (await personal.of(snapshot, principal)).prompts.get(name);
}
