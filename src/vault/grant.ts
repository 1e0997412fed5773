import type { Secret } from '#kernel/secret.ts';

/** Whose grant it is. A `Principal` is one. */
export interface GrantOwner {
  readonly issuer: string;
  readonly subject: string;
  /** Canonical JSON of [issuer, subject]. */
  readonly key: string;
}

/** What an authorization server gave a user for one server. */
export interface Grant {
  readonly accessToken: Secret;
  /** Milliseconds since the epoch; undefined where the server did not say. */
  readonly expiresAt: number | undefined;
  readonly refreshToken: Secret | undefined;
  readonly scopes: readonly string[];
  /** Of the authorization server. */
  readonly issuer: string;
  readonly clientId: string;
  /** What the token is for (RFC 8707), where it was asked for. */
  readonly resource: string | undefined;
  /** The account's name there, for people. */
  readonly account: string | undefined;
  /** Milliseconds since the epoch. */
  readonly linkedAt: number;
}

export interface StoredGrant {
  readonly grant: Grant;
  /** Another one at every change; one that was seen once never comes back. */
  readonly generation: number;
  /** The authorization server takes it no more: it must be linked again. */
  readonly isDead: boolean;
  /** Milliseconds since the epoch. */
  readonly lastUsedAt: number | undefined;
}

/** A grant without its secrets. Times are milliseconds since the epoch. */
export interface GrantSummary {
  readonly server: string;
  readonly account: string | undefined;
  readonly scopes: readonly string[];
  readonly issuer: string;
  readonly linkedAt: number;
  readonly lastUsedAt: number | undefined;
  readonly expiresAt: number | undefined;
  readonly isDead: boolean;
}

/** The right to refresh one grant, in this process alone. It ends by itself. */
export interface Lease {
  /** Whether it still holds, now for as long again. */
  extend(ms: number): Promise<boolean>;
  release(): Promise<void>;
}

/**
 * The sealed store of grants. A row that does not open (changed, or moved from elsewhere) is logged and counts as
 * none; a key that is missing from the ring, and a failing database, throw.
 */
export interface Grants {
  get(owner: GrantOwner, server: string): Promise<StoredGrant | undefined>;
  /** A new link, in place of one that may be there. */
  put(owner: GrantOwner, server: string, grant: Grant): Promise<StoredGrant>;
  /** For a refresh: whether that generation was still the one that holds, and was replaced. */
  replace(owner: GrantOwner, server: string, generation: number, grant: Grant): Promise<boolean>;
  markDead(owner: GrantOwner, server: string, generation: number): Promise<void>;
  /** Deletes it, beyond recovery from the file, and returns what it was. */
  remove(owner: GrantOwner, server: string): Promise<StoredGrant | undefined>;
  list(owner: GrantOwner): Promise<readonly GrantSummary[]>;
  /** It was just used; written later, many at once. */
  touch(owner: GrantOwner, server: string): void;
  /** Undefined where another one holds the lease, in whatever process, or there is no grant. */
  lease(owner: GrantOwner, server: string, ms: number): Promise<Lease | undefined>;
}
