import type { Secret } from '#kernel/secret.ts';

/** What the operator said about a server whose calls are made with each user's own account there. */
export interface LinkedServer {
  /** Byte for byte as configured. */
  readonly url: string;
  /** Plain http to the server's own host, and to the hosts of `allowPrivate`. */
  readonly allowHttp: boolean;
  /** The gateway as its authorization server knows it. Undefined: it introduces itself. */
  readonly client: { readonly id: string; readonly secret: Secret | undefined } | undefined;
  /** The authorization server, in place of what the server names. */
  readonly issuer: string | undefined;
  /** Asked for in place of the scopes that the server's metadata names. */
  readonly oauthScopes: readonly string[] | undefined;
  /** Whether `resource` (RFC 8707) is sent. */
  readonly sendsResource: boolean;
  /** An authorization server that does not say it knows PKCE with S256 is taken all the same. */
  readonly allowWithoutS256: boolean;
  /** Addresses, CIDR ranges and host names that may be reached though they are not public. */
  readonly allowPrivate: readonly string[];
}
