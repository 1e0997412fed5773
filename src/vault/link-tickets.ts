import { randomBytes } from 'node:crypto';
import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { principalKey } from '#kernel/principal.ts';
import type { Sealer } from '#keys/sealer.ts';
import {
  addLinkTicket,
  consumeLinkTicket,
  findLinkTicket,
  linkTicketHash,
  sweepLinkTickets,
} from '#store/link-ticket-rows.ts';
import type { Store } from '#store/store.ts';
import type { GrantOwner } from './grant.ts';

/** An invitation to link one server as one principal. It proves nothing: who opens it must be signed in as that one. */
export interface LinkTicket {
  readonly owner: GrantOwner;
  readonly server: string;
}

/** Invitations in links that agents show their users. They are no tokens; previews may look, and use up nothing. */
export interface LinkTickets {
  /** Good for ten minutes, once. */
  issue(owner: GrantOwner, server: string): Promise<string>;
  /** What it is for; undefined where it is unknown, used or too old. Uses nothing up. */
  open(ticket: string): Promise<LinkTicket | undefined>;
  /** Uses it up, for its owner alone: true for the first who asks. */
  consume(ticket: string, owner: GrantOwner, server: string): Promise<boolean>;
}

const lifetimeMs = 10 * 60_000;

export function createLinkTickets(deps: {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly clock: Clock;
}): LinkTickets {
  const { store, sealer, clock } = deps;

  async function open(ticket: string): Promise<LinkTicket | undefined> {
    if (!/^[A-Za-z0-9_-]{43}$/.test(ticket)) return undefined;
    const row = await findLinkTicket(store, ticket, clock.now());
    if (row === undefined || row.isConsumed) return undefined;
    const opened = sealer.open('link_ticket', [linkTicketHash(ticket)], row.sealed);
    const parsed = opened.ok ? parseJson(opened.value) : undefined;
    if (!parsed?.ok || !isJsonObject(parsed.value)) return undefined;
    const issuer = stringAt(parsed.value, 'issuer');
    const subject = stringAt(parsed.value, 'subject');
    const server = stringAt(parsed.value, 'server');
    if (issuer === undefined || subject === undefined || server === undefined) return undefined;
    return { owner: { issuer, subject, key: principalKey(issuer, subject) }, server };
  }

  return {
    async issue({ issuer, subject }, server) {
      await sweepLinkTickets(store, clock.now());
      const ticket = randomBytes(32).toString('base64url');
      const payload = JSON.stringify({ issuer, subject, server });
      const sealed = sealer.seal('link_ticket', [linkTicketHash(ticket)], payload);
      await addLinkTicket(store, { ticket, sealed, expiresAt: clock.now() + lifetimeMs });
      return ticket;
    },
    open,
    async consume(ticket, owner, server) {
      const held = await open(ticket);
      if (held === undefined || held.owner.key !== owner.key || held.server !== server) return false;
      return consumeLinkTicket(store, ticket, clock.now());
    },
  };
}
