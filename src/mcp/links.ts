import type { BackendId } from '#kernel/ids.ts';
import type { Principal } from '#kernel/principal.ts';

/** A page of the gateway's own where one caller links its account at one server. */
export interface LinkInvitation {
  /** `<origin>/link/<server>?ticket=...`: good for that caller alone, once, for ten minutes. */
  readonly url: string;
  /** Unguessable, and good for nothing: what a legacy client calls the question by. */
  readonly id: string;
}

/** Where callers are sent to link their own accounts. */
export interface Links {
  invite(principal: Principal, server: BackendId): Promise<LinkInvitation>;
}
