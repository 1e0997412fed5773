import type { Result } from '#kernel/result.ts';
import type { GrantOwner, GrantSummary } from '#vault/grant.ts';

/** A server with an account of each user's own behind it. */
export interface LinkableServer {
  readonly id: string;
  /** For people; the id where there is none. */
  readonly title: string | undefined;
  /** Who holds all of them may use it. */
  readonly defaultScopes: readonly string[];
}

/** What the pages need of the linking engine. */
export interface Linking {
  begin(input: {
    readonly owner: GrantOwner;
    readonly server: string;
    readonly browser: string;
  }): Promise<Result<{ readonly authorizeUrl: string; readonly provider: string }, LinkRefusal>>;
  callback(input: {
    readonly server: string;
    readonly url: string;
    readonly browser: string;
    readonly owner: GrantOwner;
  }): Promise<
    Result<
      {
        readonly flow: string;
        readonly account: string | undefined;
        readonly scopes: readonly string[];
        readonly provider: string;
      },
      LinkRefusal
    >
  >;
  confirm(input: {
    readonly flow: string;
    readonly server: string;
    readonly browser: string;
    readonly owner: GrantOwner;
  }): Promise<Result<GrantSummary, LinkRefusal>>;
  unlink(owner: GrantOwner, server: string): Promise<Result<{ readonly wasRevoked: boolean }, LinkRefusal>>;
}

export interface LinkRefusal {
  /** For the audit. */
  readonly reason: string;
  /** For people: what happened and what to do. */
  readonly message: string;
}

/** Single-use, ten minutes, for one owner and one server. */
export interface Tickets {
  issue(owner: GrantOwner, server: string): Promise<string>;
  /** Looks without using it up. */
  open(ticket: string): Promise<Ticket | undefined>;
  /** Uses it up. */
  consume(ticket: string): Promise<Ticket | undefined>;
}
export interface Ticket {
  readonly owner: GrantOwner;
  readonly server: string;
}
