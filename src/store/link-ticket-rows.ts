import { createHash } from 'node:crypto';
import { asRow, integerOf, textOf } from './row.ts';
import type { Store } from './store.ts';

/** An invitation to link one server, as one principal. What it holds is sealed, bound to `linkTicketHash`. */
export interface LinkTicketRow {
  readonly sealed: string;
  readonly isConsumed: boolean;
}

/** As what a ticket is stored: the ticket itself is not in the database. */
export function linkTicketHash(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64url');
}

export async function addLinkTicket(
  store: Store,
  row: { readonly ticket: string; readonly sealed: string; readonly expiresAt: number },
): Promise<void> {
  await store.run(
    'INSERT INTO link_tickets (ticket, sealed, expires_at, consumed) VALUES (?, ?, ?, 0)',
    linkTicketHash(row.ticket),
    row.sealed,
    row.expiresAt,
  );
}

/** The ticket, consumed or not, unless it has expired. */
export async function findLinkTicket(
  store: Store,
  ticket: string,
  now: number,
): Promise<LinkTicketRow | undefined> {
  const rows = await store.all(
    'SELECT sealed, consumed FROM link_tickets WHERE ticket = ? AND expires_at > ?',
    linkTicketHash(ticket),
    now,
  );
  if (rows[0] === undefined) return undefined;
  const row = asRow(rows[0]);
  return { sealed: textOf(row, 'sealed'), isConsumed: integerOf(row, 'consumed') === 1 };
}

/** Consumes the ticket: true for the first who asks, in whatever process, and for nobody after that. */
export async function consumeLinkTicket(store: Store, ticket: string, now: number): Promise<boolean> {
  const changed = await store.run(
    'UPDATE link_tickets SET consumed = 1 WHERE ticket = ? AND expires_at > ? AND consumed = 0',
    linkTicketHash(ticket),
    now,
  );
  return changed === 1;
}

/** Deletes the expired tickets; returns how many. */
export async function sweepLinkTickets(store: Store, now: number): Promise<number> {
  return store.run('DELETE FROM link_tickets WHERE expires_at <= ?', now);
}

/** Every ticket by its hash, used and expired ones too. */
export async function listLinkTickets(
  store: Store,
): Promise<readonly { readonly hash: string; readonly sealed: string }[]> {
  const rows = await store.all('SELECT ticket, sealed FROM link_tickets');
  return rows.map((value) => {
    const row = asRow(value);
    return { hash: textOf(row, 'ticket'), sealed: textOf(row, 'sealed') };
  });
}

/** Puts the same ticket in again, sealed anew. */
export async function resealLinkTicket(
  store: Store,
  hash: string,
  before: string,
  sealed: string,
): Promise<void> {
  await store.run('UPDATE link_tickets SET sealed = ? WHERE ticket = ? AND sealed = ?', sealed, hash, before);
}

/** Deletes tickets, beyond recovery from the file. */
export async function eraseLinkTickets(store: Store, hashes: readonly string[]): Promise<void> {
  await store.batch(
    hashes.map((hash) => ({ sql: 'DELETE FROM link_tickets WHERE ticket = ?', params: [hash] })),
  );
  await store.scrub();
}
