import type { Clock } from '#kernel/clock.ts';
import { type BackendId, randomId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { Store } from '#store/store.ts';
import { deleteTickets, listTickets, reportTicket, type TicketRow } from '#store/ticket-rows.ts';
import { normalTitle, parseTicketReport, type TicketReport } from './ticket-report.ts';
import { createTicketWebhook } from './ticket-webhook.ts';

const DAY_MS = 24 * 3_600_000;
const DUPLICATE_WINDOW_MS = DAY_MS;
const KEPT_MS = 365 * DAY_MS;
const MAX_TICKETS_PER_DAY = 50;
const MAX_LISTED = 100;
const MAX_AGENT_LENGTH = 100;

export interface TicketDeskDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly outbound: Outbound;
  readonly webhookUrl: () => string | undefined;
  readonly ownsTickets: (backend: BackendId) => boolean;
}

/** Takes in what agents could not do, for the people who run the applications. */
export interface TicketDesk {
  /**
   * The same report of the same principal and agent within 24 hours is counted, not repeated. A refusal is text
   * for the agent: bad arguments, or more than 50 tickets a day. A new ticket that blocks is told to the webhook.
   */
  report(
    principal: Principal,
    agent: string | undefined,
    args: JsonObject,
  ): Promise<Result<JsonObject, string>>;
  /** The principal's own tickets, newest first, at most 100; nobody else's. */
  list(principal: Principal): Promise<readonly JsonObject[]>;
  /** Whether the configuration says that the backend keeps its own. */
  ownsTickets(backend: BackendId): boolean;
  close(): void;
}

export function createTicketDesk(deps: TicketDeskDeps): TicketDesk {
  const { store, clock } = deps;
  const webhook = createTicketWebhook({ outbound: deps.outbound, url: deps.webhookUrl, log: deps.log });
  let sweptAt = Number.NEGATIVE_INFINITY;

  /** Once a day, with somebody's report: tickets that nobody repeated for a year go. */
  const sweep = async (now: number): Promise<void> => {
    if (now - sweptAt < DAY_MS) return;
    sweptAt = now;
    await deleteTickets(store, now - KEPT_MS);
  };

  return {
    async report(principal, agent, args) {
      const parsed = parseTicketReport(args);
      if (!parsed.ok) return parsed;
      const now = clock.now();
      await sweep(now);
      const ticket = rowOf(principal, agent?.slice(0, MAX_AGENT_LENGTH), parsed.value, now);
      const latest = await listTickets(store, principal.key, MAX_TICKETS_PER_DAY);
      const today = latest.filter(({ createdAt }) => createdAt > now - DAY_MS);
      const isRepeated = today.some(({ dedupeKey }) => dedupeKey === ticket.dedupeKey);
      if (today.length >= MAX_TICKETS_PER_DAY && !isRepeated)
        return err(`more than ${MAX_TICKETS_PER_DAY} reports a day are not taken`);
      const held = await reportTicket(store, ticket, now - DUPLICATE_WINDOW_MS);
      const shown = publicTicket(held.ticket);
      if (held.isNew && held.ticket.severity === 'blocking')
        webhook.send({ event: 'ticket.blocking', agent: held.ticket.agent, ...shown });
      return ok({ isNew: held.isNew, ticket: shown });
    },
    async list(principal) {
      return (await listTickets(store, principal.key, MAX_LISTED)).map(publicTicket);
    },
    ownsTickets: deps.ownsTickets,
    close: webhook.close,
  };
}

function rowOf(
  principal: Principal,
  agent: string | undefined,
  { title, details, severity, backend }: TicketReport,
  now: number,
): TicketRow {
  const isBlocking = severity === 'blocking';
  // What begins to block is another ticket, so that it is heard of.
  const same = JSON.stringify([
    principal.key,
    agent ?? null,
    normalTitle(title),
    backend ?? null,
    isBlocking,
  ]);
  return {
    id: randomId(),
    dedupeKey: new Bun.CryptoHasher('sha256').update(same).digest('base64url'),
    reporter: principal.key,
    agent,
    backend,
    severity,
    title,
    details,
    status: 'open',
    occurrences: 1,
    createdAt: now,
    lastSeenAt: now,
  };
}

function publicTicket({ id, title, details, severity, backend, status, ...row }: TicketRow): JsonObject {
  return {
    id,
    title,
    details,
    severity,
    backend,
    status,
    occurrences: row.occurrences,
    createdAt: new Date(row.createdAt).toISOString(),
    lastSeenAt: new Date(row.lastSeenAt).toISOString(),
  };
}
