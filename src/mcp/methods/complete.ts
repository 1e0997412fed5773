import type { Backend } from '#backends/backend.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import { uriScheme } from '#catalog/uri-scheme.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { holdsAll } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { complete, type McpCall, type MethodReply, membersOf } from '../call.ts';
import type { EdgeDeps } from '../deps.ts';
import { quarantineRefusal } from '../quarantine-refusal.ts';
import type { Refusal } from '../refusal.ts';
import { callContext, noRetry } from '../relay.ts';
import { noteExchange } from '../tool-result.ts';

const MAX_VALUES = 100;

interface Target {
  readonly backend: Backend;
  readonly ref: JsonObject;
}
type Listed = Pick<Snapshot, 'prompts' | 'resources' | 'templates' | 'quarantined'>;

/** What a reference names, in the backend's own words: among what everyone is shown, else among the caller's own. */
async function target(deps: EdgeDeps, call: McpCall, ref: JsonObject): Promise<Result<Target, Refusal>> {
  const { snapshot, principal } = call;
  const shared = targetIn(snapshot, deps, call, ref);
  const isUnknown =
    !shared.ok && (shared.error.reason === 'prompt_unknown' || shared.error.reason === 'resource_unknown');
  if (!isUnknown || !deps.personal.concerns(principal)) return shared;
  const own = targetIn(await deps.personal.of(snapshot, principal), deps, call, ref);
  return own.ok ? own : shared;
}

function targetIn(listed: Listed, deps: EdgeDeps, call: McpCall, ref: JsonObject): Result<Target, Refusal> {
  const { principal } = call;
  if (ref.type === 'ref/prompt' && typeof ref.name === 'string') {
    call.facts.tool = ref.name;
    const prompt = listed.prompts.get(ref.name);
    const backend = prompt && deps.backend(prompt.backend);
    if (!prompt || !backend || !holdsAll(principal.scopes, prompt.definition.scopes)) {
      const { name } = ref;
      const withheld = quarantineRefusal(call, listed.quarantined.prompts.get(name), 'prompt', name);
      return err(withheld ?? { reason: 'prompt_unknown', name });
    }
    call.facts.scopes = prompt.definition.scopes;
    return ok({ backend, ref: { ...ref, name: prompt.definition.name } });
  }
  if (ref.type === 'ref/resource' && typeof ref.uri === 'string') {
    const { uri } = ref;
    call.facts.tool = uriScheme(uri);
    const named = [
      ...listed.templates.filter(({ uriTemplate }) => uriTemplate === uri),
      listed.resources.get(uri),
    ];
    const held = named.find(
      (item) => item !== undefined && holdsAll(principal.scopes, item.definition.scopes),
    );
    const backend = held && deps.backend(held.backend);
    call.facts.scopes = held?.definition.scopes;
    if (backend !== undefined) return ok({ backend, ref });
    const { templates, resources } = listed.quarantined;
    const taken = templates.find(({ uriTemplate }) => uriTemplate === uri) ?? resources.get(uri);
    return err(quarantineRefusal(call, taken, 'resource', uri) ?? { reason: 'resource_unknown', uri });
  }
  return err({ reason: 'params_invalid', detail: 'ref must be a ref/prompt or a ref/resource' });
}

/** completion/complete: for prompts and templates that the caller sees; a backend without completion has no values. */
export async function completeArgument(deps: EdgeDeps, call: McpCall): Promise<MethodReply> {
  const { ref, argument } = call.params;
  if (!isJsonObject(ref)) return err({ reason: 'params_invalid', detail: 'ref must be an object' });
  if (!isJsonObject(argument) || typeof argument.name !== 'string' || typeof argument.value !== 'string') {
    return err({ reason: 'params_invalid', detail: 'argument must hold a name and a value' });
  }
  const found = await target(deps, call, ref);
  if (!found.ok) return found;
  const exchange = await found.value.backend.complete(found.value.ref, argument, callContext(call, noRetry));
  noteExchange(call.facts, exchange);
  if (!exchange.outcome.ok) {
    const { reason, message } = exchange.outcome.error;
    if (reason === 'unsupported') return complete('"completion":{"values":[]}');
    call.facts.outcome = 'error';
    call.facts.code = reason;
    return err({ reason: 'backend_failed', message });
  }
  const { values, total, hasMore } = exchange.outcome.value;
  const isCut = values.length > MAX_VALUES;
  const completion = { values: values.slice(0, MAX_VALUES), total, hasMore: isCut ? true : hasMore };
  return complete(membersOf({ completion }));
}
