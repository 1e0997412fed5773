import type { BackendId } from '#kernel/ids.ts';
import type { JsonObject, JsonValue } from '#kernel/json.ts';
import type { Principal } from '#kernel/principal.ts';
import type { Result } from '#kernel/result.ts';
import type { McpCall, MethodReply } from '../call.ts';
import { wholeChoice } from '../choice.ts';
import type { EdgeDeps } from '../deps.ts';
import { callContext, noRetry } from '../relay.ts';
import { failureDetail, noteExchange, toolError } from '../tool-result.ts';
import type { Builtin } from './builtin.ts';
import { listTicketsDefinition, reportTicketDefinition } from './definitions.ts';
import { jsonToolResult } from './json-tool-result.ts';

/** The gateway's own tickets, and which backends keep theirs themselves. */
export interface TicketDesk {
  report(
    principal: Principal,
    agent: string | undefined,
    report: JsonObject,
  ): Promise<Result<JsonObject, string>>;
  list(principal: Principal): Promise<readonly JsonValue[]>;
  ownsTickets(backend: BackendId): boolean;
}

/** The backend that the caller named, if it keeps its own tickets and the caller sees anything of it. */
function ticketBackend(deps: EdgeDeps, call: McpCall, name: JsonValue | undefined) {
  if (typeof name !== 'string') return undefined;
  const view = deps.views.of(call.snapshot, call.principal, wholeChoice);
  const seen = view.backends.find(({ id }) => id === name);
  return seen !== undefined && deps.tickets.ownsTickets(seen.id) ? deps.backend(seen.id) : undefined;
}

async function forward(
  deps: EdgeDeps,
  call: McpCall,
  method: 'report_missing_capability' | 'list_tickets',
  args: JsonObject,
): Promise<MethodReply | undefined> {
  const backend = ticketBackend(deps, call, args.backend);
  if (backend === undefined) return undefined;
  const exchange = await backend.ticket(method, args, callContext(call, noRetry));
  noteExchange(call.facts, exchange);
  if (exchange.outcome.ok) return jsonToolResult({ backend: backend.id, answer: exchange.outcome.value });
  call.facts.outcome = 'error';
  call.facts.code = exchange.outcome.error.reason;
  return toolError(exchange.outcome.error.message, failureDetail(exchange.outcome.error));
}

export const reportTicket: Builtin = {
  definition: reportTicketDefinition,
  async run(deps, call, args) {
    const forwarded = await forward(deps, call, 'report_missing_capability', args);
    if (forwarded !== undefined) return forwarded;
    const made = await deps.tickets.report(call.principal, call.client.agent, args);
    if (made.ok) return jsonToolResult(made.value);
    call.facts.outcome = 'error';
    call.facts.code = 'params_invalid';
    return toolError(made.error, { reason: 'params_invalid' });
  },
};

export const listTickets: Builtin = {
  definition: listTicketsDefinition,
  async run(deps, call, args) {
    const forwarded = await forward(deps, call, 'list_tickets', args);
    return forwarded ?? jsonToolResult({ tickets: await deps.tickets.list(call.principal) });
  },
};
