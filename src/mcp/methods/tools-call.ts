import type { BackendFailure } from '#backends/backend.ts';
import type { CatalogTool } from '#catalog/snapshot.ts';
import type { BackendId } from '#kernel/ids.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { holdsAll } from '#kernel/principal.ts';
import { err, ok } from '#kernel/result.ts';
import type { Facts, McpCall, MethodReply } from '../call.ts';
import { wholeChoice } from '../choice.ts';
import type { EdgeDeps } from '../deps.ts';
import { interact } from '../interactive.ts';
import { paramHeaderMismatch } from '../param-headers-check.ts';
import { quarantineRefusal } from '../quarantine-refusal.ts';
import { callContext, noRetry } from '../relay.ts';
import { quarantinedTool, toolNamed } from '../tool-named.ts';
import { failureDetail, noteExchange, toolError, toolResult } from '../tool-result.ts';
import { callLink, linkFor, ownPart, toolLinkReply } from './link.ts';

/** tools/call (R25): in the snapshot, visible, within its allowance; then the backend decides. */
export function callTool(deps: EdgeDeps, call: McpCall): MethodReply | Promise<MethodReply> {
  const { name } = call.params;
  const args = call.params.arguments ?? {};
  if (typeof name !== 'string') return err({ reason: 'params_invalid', detail: 'name must be a string' });
  if (!isJsonObject(args)) return err({ reason: 'params_invalid', detail: 'arguments must be an object' });
  call.facts.tool = name;
  call.facts.params = JSON.stringify(args);

  const builtin = deps.builtins.get(name);
  if (builtin !== undefined) return builtin.run(deps, call, args);

  const tool = toolNamed(call.snapshot, name);
  return tool === undefined ? callUnlisted(deps, call, name, args) : callListed(deps, call, tool, args);
}

/** What is in no snapshot: a backend's help, then what is the caller's own, then nothing. */
async function callUnlisted(
  deps: EdgeDeps,
  call: McpCall,
  name: string,
  args: JsonObject,
): Promise<MethodReply> {
  const { snapshot, principal } = call;
  const refusal = quarantineRefusal(call, quarantinedTool(snapshot, name), 'tool', name);
  if (refusal !== undefined) return err(refusal);
  const view = deps.views.of(snapshot, principal, wholeChoice);
  const helper = view.backends.find(({ helpName }) => helpName === name);
  if (helper !== undefined) return callHelp(deps, call, helper.id, name, args);
  if (!deps.personal.concerns(principal)) return err({ reason: 'tool_unknown', name });
  const server = deps.personal.linkedBy(name, principal);
  if (server !== undefined) return callLink(deps, call, server);
  const { part, unlinked } = await ownPart(deps, call, { name }, args);
  const tool = part.tools.get(name);
  if (tool !== undefined) return callListed(deps, call, tool, args);
  const own = quarantineRefusal(call, part.quarantined.tools.get(name), 'tool', name);
  if (own !== undefined) return err(own);
  if (unlinked === undefined) return err({ reason: 'tool_unknown', name });
  const link = await linkFor(deps, call, unlinked, name, args);
  return link.ok ? toolLinkReply(call.facts, unlinked, link.value) : link;
}

function callListed(
  deps: EdgeDeps,
  call: McpCall,
  tool: CatalogTool,
  args: JsonObject,
): MethodReply | Promise<MethodReply> {
  const { scopes } = tool.definition;
  call.facts.scopes = scopes;
  call.path?.passed('catalog');
  if (!holdsAll(call.principal.scopes, scopes)) {
    return refuseScopes(deps, call, call.facts.tool ?? tool.publicName, scopes);
  }
  call.path?.passed('scopes');
  if (call.era === 'modern' && tool.paramHeaders.length > 0) {
    const detail = paramHeaderMismatch(call.headers, tool.paramHeaders, args);
    if (detail !== undefined) return err({ reason: 'header_mismatch', detail });
  }
  const taken = takenName(tool, args);
  if (taken !== undefined && deps.backend(tool.backend)?.isNative !== true) {
    call.facts.outcome = 'error';
    call.facts.code = 'params_invalid';
    return toolError(`This tool takes no argument called ${taken}`, { reason: 'params_invalid' });
  }
  const retryAfterSeconds = deps.allowance.takeTool(call.principal, tool.publicName);
  if (retryAfterSeconds > 0) return err({ reason: 'rate_limited', retryAfterSeconds });
  call.path?.passed('allowance of the tool');
  return callBackend(deps, call, tool, args);
}

const besideArguments = ['inputResponses', 'requestState'] as const;

/**
 * An argument with a name that the contract puts beside the arguments: the backend would take it for a state that we
 * sealed. A tool that declares the name itself means something else by it.
 */
function takenName({ definition }: CatalogTool, args: JsonObject): string | undefined {
  const { properties } = definition.inputSchema;
  for (const name of besideArguments) {
    if (!Object.hasOwn(args, name)) continue;
    if (!isJsonObject(properties) || !Object.hasOwn(properties, name)) return name;
  }
  return undefined;
}

/** A tool beyond the caller's scopes, by policy (R36). What names no scope at all is unknown to everyone. */
function refuseScopes(deps: EdgeDeps, call: McpCall, name: string, scopes: readonly string[]): MethodReply {
  const policy = scopes.length === 0 ? 'hide' : deps.settings().missingScope;
  call.facts.code = 'scope_missing';
  if (policy === 'challenge' && !call.reply.isStreaming) return err({ reason: 'scope_missing', scopes });
  if (policy === 'hide') return err({ reason: 'tool_unknown', name });
  return scopeError(call.facts, scopes);
}

function scopeError(facts: Facts, scopes: readonly string[]): MethodReply {
  facts.outcome = 'error';
  facts.code = 'scope_missing';
  return toolError(`This needs a scope that your token lacks: ${scopes.join(' ')}`, {
    reason: 'scope_missing',
    requiredScopes: [...scopes],
  });
}

async function callBackend(
  deps: EdgeDeps,
  call: McpCall,
  tool: CatalogTool,
  args: JsonObject,
): Promise<MethodReply> {
  const backend = deps.backend(tool.backend);
  if (backend === undefined) return err({ reason: 'tool_unknown', name: tool.publicName });
  const { definition } = tool;
  const binding = {
    principal: call.principal,
    method: call.method,
    target: tool.publicName,
    backend: tool.backend,
    parameters: args,
  };
  const { hasOutputSchema } = definition;
  const isRepeatable = definition.isIdempotent || definition.isReadOnly;
  const done = await interact(deps, call, binding, (context) =>
    backend.call({ name: definition.name, arguments: args, hasOutputSchema, isRepeatable }, context),
  );
  if (done.exchange !== undefined) noteExchange(call.facts, done.exchange);
  switch (done.kind) {
    case 'refused':
      return err(done.refusal);
    case 'ask':
      call.facts.outcome = 'input_required';
      return ok(done.body);
    case 'unlinked':
      return toolLinkReply(call.facts, tool.backend, done.link);
    case 'bad_question':
      call.facts.outcome = 'error';
      call.facts.code = 'question_refused';
      return toolError(`${tool.backend} cannot finish: ${done.message}`, { reason: 'question_refused' });
    case 'exchange': {
      const { outcome } = done.exchange;
      if (!outcome.ok) return failedCall(deps, call, outcome.error);
      return usableResult(call, tool.backend, toolResult(outcome.value, hasOutputSchema, call.era));
    }
  }
}

/** A backend's result, or an `isError` one where it made no sense. */
function usableResult(
  { facts }: McpCall,
  backend: string,
  result: ReturnType<typeof toolResult>,
): MethodReply {
  if (!result.ok) {
    facts.outcome = 'error';
    facts.code = 'result_malformed';
    return toolError(`${backend} answered with something unusable: ${result.error}`, {
      reason: 'result_malformed',
    });
  }
  if (result.value.isError) facts.outcome = 'error';
  return result;
}

/** The backend's own `get_help` method, offered as a tool for each backend that the caller sees. */
async function callHelp(
  deps: EdgeDeps,
  call: McpCall,
  id: BackendId,
  name: string,
  args: JsonObject,
): Promise<MethodReply> {
  const backend = deps.backend(id);
  if (backend === undefined) return err({ reason: 'tool_unknown', name });
  const topic = typeof args.topic === 'string' ? args.topic : undefined;
  const exchange = await backend.help(topic, callContext(call, noRetry));
  noteExchange(call.facts, exchange);
  if (!exchange.outcome.ok) {
    const { error } = exchange.outcome;
    return failedCall(
      deps,
      call,
      error.reason === 'unsupported' ? { ...error, message: `${backend.id} offers no help` } : error,
    );
  }
  return usableResult(call, backend.id, toolResult(exchange.outcome.value, false, call.era));
}

/** A backend's failure is an `isError` result; a scope that it misses follows the policy of R36. */
function failedCall(deps: EdgeDeps, call: McpCall, failure: BackendFailure): MethodReply {
  call.facts.outcome = 'error';
  call.facts.code = failure.reason;
  if (failure.reason === 'scope_missing' && failure.requiredScopes !== undefined) {
    const scopes = [...new Set([...(call.facts.scopes ?? []), ...failure.requiredScopes])];
    if (deps.settings().missingScope === 'challenge' && !call.reply.isStreaming) {
      return err({ reason: 'scope_missing', scopes });
    }
    return scopeError(call.facts, scopes);
  }
  return toolError(failure.message, failureDetail(failure));
}
