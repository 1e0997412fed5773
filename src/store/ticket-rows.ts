import { asRow, integerOf, optionalTextOf, textOf } from './row.ts';
import type { Store } from './store.ts';

/** One missing capability, as an agent reported it. */
export interface TicketRow {
  readonly id: string;
  /** Equal for reports that say the same: whoever reports decides what is in it. */
  readonly dedupeKey: string;
  /** The principal's key. */
  readonly reporter: string;
  readonly agent: string | undefined;
  readonly backend: string | undefined;
  readonly severity: string;
  readonly title: string;
  readonly details: string;
  readonly status: string;
  /** How often it was reported. */
  readonly occurrences: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Milliseconds since the epoch. */
  readonly lastSeenAt: number;
}

const columns = `id, dedupe_key, reporter, agent, backend, severity, title, details, status, occurrences,
  created_at, last_seen_at`;

/**
 * Adds the ticket, or counts one more occurrence where a ticket with its `dedupeKey` was made after `since`.
 * Returns the ticket that holds and whether it is new; simultaneous reports make one ticket.
 */
export async function reportTicket(
  store: Store,
  ticket: TicketRow,
  since: number,
): Promise<{ readonly ticket: TicketRow; readonly isNew: boolean }> {
  const added = await store.run(
    `INSERT INTO tickets (${columns}) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
     WHERE NOT EXISTS (SELECT 1 FROM tickets WHERE dedupe_key = ? AND created_at > ?)`,
    ticket.id,
    ticket.dedupeKey,
    ticket.reporter,
    ticket.agent ?? null,
    ticket.backend ?? null,
    ticket.severity,
    ticket.title,
    ticket.details,
    ticket.status,
    ticket.occurrences,
    ticket.createdAt,
    ticket.lastSeenAt,
    ticket.dedupeKey,
    since,
  );
  if (added === 1) return { ticket, isNew: true };
  const rows = await store.all(
    `UPDATE tickets SET occurrences = occurrences + 1, last_seen_at = ?
     WHERE dedupe_key = ? AND created_at > ? RETURNING ${columns}`,
    ticket.lastSeenAt,
    ticket.dedupeKey,
    since,
  );
  return { ticket: ticketOf(rows[0]), isNew: false };
}

/** The reporter's own tickets, newest first. */
export async function listTickets(
  store: Store,
  reporter: string,
  limit: number,
): Promise<readonly TicketRow[]> {
  const rows = await store.all(
    `SELECT ${columns} FROM tickets WHERE reporter = ? ORDER BY created_at DESC, id LIMIT ?`,
    reporter,
    limit,
  );
  return rows.map(ticketOf);
}

/** Deletes the tickets last seen before that moment; returns how many. */
export async function deleteTickets(store: Store, before: number): Promise<number> {
  return store.run('DELETE FROM tickets WHERE last_seen_at < ?', before);
}

function ticketOf(value: unknown): TicketRow {
  const row = asRow(value);
  return {
    id: textOf(row, 'id'),
    dedupeKey: textOf(row, 'dedupe_key'),
    reporter: textOf(row, 'reporter'),
    agent: optionalTextOf(row, 'agent'),
    backend: optionalTextOf(row, 'backend'),
    severity: textOf(row, 'severity'),
    title: textOf(row, 'title'),
    details: textOf(row, 'details'),
    status: textOf(row, 'status'),
    occurrences: integerOf(row, 'occurrences'),
    createdAt: integerOf(row, 'created_at'),
    lastSeenAt: integerOf(row, 'last_seen_at'),
  };
}
