import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import type { Result } from '#kernel/result.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Mailer } from '../mailer.ts';

export interface AuthorizationServerOptions {
  /** An origin such as `http://127.0.0.1:3220`: no path, no slash at the end. */
  readonly issuer: string;
  /** The protected resources, byte for byte; the first is meant where a client names none. */
  readonly resources: readonly string[];
  /** Scope -> what the consent page says it allows. */
  readonly scopes: Readonly<Record<string, string>>;
  /** Plan -> its scopes, smallest first; new users get the first. */
  readonly plans: Readonly<Record<string, readonly string[]>>;
  /** `:memory:` keeps nothing. */
  readonly databasePath: string;
  /** Private signing key, made with mode 0600 where absent. Undefined: a new key at each start. */
  readonly keyFile: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly mailer: Mailer;
  /** Undefined: clients cannot name themselves by the URL of a metadata document. */
  readonly fetchDocument: FetchDocument | undefined;
  /** Metadata documents may lie at `http://127.0.0.1`, for a demo on one machine. */
  readonly allowsLoopbackDocuments: boolean;
  /** Known beforehand; they alone may introspect, exchange tokens and read the revocation events. */
  readonly clients: readonly StaticClient[];
  readonly limits?: Partial<ServerLimits>;
}

/**
 * Reads a client's metadata document. The implementation owes: https or an allowed loopback address, a guarded
 * connect, no redirects, a deadline and a byte cap.
 */
export type FetchDocument = (url: string) => Promise<Result<FetchedDocument, string>>;
export interface FetchedDocument {
  readonly body: unknown;
  /** From `Cache-Control`; undefined where it said nothing. */
  readonly maxAgeSeconds: number | undefined;
}

export interface StaticClient {
  readonly clientId: string;
  readonly name: string;
  /** Undefined: a public client. */
  readonly secret: Secret | undefined;
  readonly redirectUris: readonly string[];
  /** Reads any token's state (RFC 7662) and the revocation events. */
  readonly isResourceServer: boolean;
  /** Audiences it may exchange a user's token for (RFC 8693). */
  readonly exchangeAudiences: readonly string[];
}

/** Every bound of the server; the unit is in the name. */
export const serverLimits = {
  accessTokenSeconds: 15 * 60,
  codeSeconds: 60,
  grantSeconds: 30 * 24 * 3_600,
  sessionSeconds: 12 * 3_600,
  linkSeconds: 15 * 60,
  maxLinksPerEmail: 5,
  maxLinksPerAddressRange: 20,
  maxRegistrationsPerAddressRange: 30,
  maxDocumentReadsPerAddressRange: 30,
  limitWindowSeconds: 3_600,
  maxUsers: 10_000,
  maxClients: 5_000,
  maxGrantsPerUser: 50,
  maxRefreshTokensPerGrant: 100,
  maxEvents: 10_000,
  maxEventStreams: 16,
  maxBodyBytes: 16 * 1024,
  heartbeatMs: 5_000,
} as const;
export type ServerLimits = { readonly [Name in keyof typeof serverLimits]: number };
