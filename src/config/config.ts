import type { BackendId } from '#kernel/ids.ts';
import type { Secret } from '#kernel/secret.ts';
import type { MessageTarget } from '#outbound/message-socket.ts';
import type { AdminConfig } from './admin-config.ts';
import type { FeedConfig } from './feed-config.ts';
import type { ServerConfig } from './server-config.ts';

/**
 * The gateway's settings, parsed and checked: every default filled in, every path absolute, every duration in
 * milliseconds, every size in bytes. Maps keep the order of the file.
 */
export interface Config {
  readonly version: 1;
  readonly stateDir: string;
  readonly gateway: GatewayConfig;
  readonly auth: AuthConfig;
  /** Plan name -> the scopes that make it; the first whose scopes are all held is the caller's. */
  readonly plans: ReadonlyMap<string, readonly string[]>;
  readonly backends: ReadonlyMap<BackendId, BackendConfig>;
  /** Third parties' MCP servers; no id is also a backend's. */
  readonly servers: ReadonlyMap<BackendId, ServerConfig>;
  readonly limits: LimitsConfig;
  readonly audit: AuditConfig;
  readonly integrity: IntegrityConfig;
  readonly keys: KeysConfig;
  readonly admin: AdminConfig;
  readonly store: StoreConfig;
  readonly tickets: TicketsConfig;
  readonly log: LogConfig;
}

export interface GatewayConfig {
  /** The canonical resource, byte for byte as written: never rebuild it with `new URL(x).href`. */
  readonly url: string;
  readonly listen: ListenAddress;
  /** Exact origins, or `https://*.suffix`. */
  readonly origins: readonly string[];
  /** CIDRs of the proxies whose `X-Forwarded-For` counts. */
  readonly trustedProxies: readonly string[];
  /** Plain http outside this machine was allowed for `url` and the issuers. */
  readonly allowHttp: boolean;
  readonly serverName: string | undefined;
  readonly serverCardName: string | undefined;
  readonly websiteUrl: string | undefined;
}
/** Port 0 asks the system for a free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface AuthConfig {
  /** Never empty; urls differ. */
  readonly issuers: readonly IssuerConfig[];
  readonly baselineScopes: readonly string[];
  /** `plans`: the union of all plans' scopes. */
  readonly challengeScopes: 'plans' | readonly string[];
  readonly missingScope: 'hide' | 'challenge' | 'tool_error';
  /** Scope -> the scopes it stands for as well. */
  readonly scopeImplies: ReadonlyMap<string, readonly string[]>;
  readonly requiredPool: string | undefined;
  readonly signIn: SignInConfig;
}
/** How the gateway's own pages sign people in. */
export interface SignInConfig {
  /** The url of one of the issuers; empty only where there is none. */
  readonly issuer: string;
  /** Undefined: the gateway introduces itself. */
  readonly client: ClientConfig | undefined;
}
/** The gateway as a client of an authorization server. */
export interface ClientConfig {
  readonly id: string;
  /** Undefined: a public client. */
  readonly secret: Secret | undefined;
}
export interface IssuerConfig {
  /** Byte for byte as written: compared with `iss`. */
  readonly url: string;
  /** Undefined: found by discovery. */
  readonly jwksUri: string | undefined;
  /** Any of these is accepted. Undefined: `gateway.url` alone. */
  readonly audience: readonly string[] | undefined;
  /** Undefined: RS256, PS256, ES256, EdDSA. */
  readonly algorithms: readonly string[] | undefined;
  readonly preset: IssuerPreset;
  /** Undefined: tokens of any client. */
  readonly clients: readonly string[] | undefined;
  /** Role -> the scopes of whoever has it. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  readonly claims: ClaimPaths;
  /** A ceiling over the scopes of its tokens. Undefined: none. */
  readonly scopes: readonly string[] | undefined;
  readonly maxTokenAgeSeconds: number;
  /** As whom tokens are exchanged there. Undefined: they cannot be. */
  readonly exchange: ClientConfig | undefined;
  /** Undefined: it is not asked about tokens. */
  readonly introspection: IntrospectionConfig | undefined;
  readonly dpop: 'off' | 'allow' | 'require';
  /** How it tells of its revocations. Undefined: not at all. */
  readonly revocationFeed: FeedConfig | undefined;
  /** Client ids for which it may end sessions. */
  readonly backchannelLogout: readonly string[];
}
/** How an issuer is asked about tokens (RFC 7662). */
export interface IntrospectionConfig {
  readonly url: string;
  readonly client: ClientConfig;
  /** About a JWT: while the issuer's revocation feed is lost, or always. */
  readonly mode: 'fallback' | 'always';
  readonly cacheMs: number;
}
/** The kinds of issuer whose tokens are known. */
type IssuerPreset =
  | 'generic'
  | 'rfc9068'
  | 'keycloak'
  | 'auth0'
  | 'okta'
  | 'entra'
  | 'zitadel'
  | 'authentik'
  | 'hydra'
  | 'cognito';
/** Claim names to look at, in order; a name that is no claim is read as a dotted path. Undefined: the preset's own. */
export interface ClaimPaths {
  readonly subject: readonly string[] | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly permissions: readonly string[] | undefined;
  readonly client: readonly string[] | undefined;
  readonly tokenId: readonly string[] | undefined;
  readonly session: readonly string[] | undefined;
  readonly grant: readonly string[] | undefined;
  readonly email: readonly string[] | undefined;
  readonly role: readonly string[] | undefined;
  readonly pool: readonly string[] | undefined;
}

export interface BackendConfig {
  readonly id: BackendId;
  /** Origin and optional base path, without a slash at the end. */
  readonly url: string;
  /** Starts with a slash; appended to `url`. */
  readonly path: string;
  readonly technicalToken: Secret | undefined;
  readonly identity: 'propagate' | 'assert' | 'exchange';
  /** The audience of asserted and exchanged tokens. */
  readonly tokenAudience: string;
  readonly timeoutMs: number;
  /** Before each public name; may be empty. */
  readonly prefix: string;
  /** Globs over the backend's own tool names. Empty `include`: everything. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Plain http to a host that is not loopback was allowed. */
  readonly allowHttp: boolean;
  readonly maxConnections: number;
  readonly maxResultBytes: number;
  /** The backend keeps its own tickets. */
  readonly tickets: boolean;
  /** Audiences a token must carry one of before it is sent on. Undefined: those of its issuer. */
  readonly audience: readonly string[] | undefined;
  /** Ed25519 public keys as base64url; empty: lists need no signature. */
  readonly catalogKeys: readonly string[];
}

/** The bounds an operator may set, named as in `kernel/limits.ts`, which holds their defaults. */
export interface LimitsConfig {
  /** Per principal. */
  readonly callsPerMinute: number;
  /** Glob over public tool names -> calls a minute, per principal; the first that matches counts. */
  readonly toolCallsPerMinute: ReadonlyMap<string, number>;
  /** Plan -> calls a minute, per principal, in place of `callsPerMinute`. */
  readonly planCallsPerMinute: ReadonlyMap<string, number>;
  readonly maxTokenBytes: number;
  readonly maxRequestBodyBytes: number;
  readonly maxHeaderValueBytes: number;
  readonly maxResultBytes: number;
  readonly maxCatalogBytes: number;
  readonly maxToolsPerBackend: number;
  readonly maxPublicNameLength: number;
  readonly maxStreamsPerPrincipal: number;
  readonly maxStreams: number;
  readonly maxSessionSubscriptions: number;
  readonly sessionLifetimeMs: number;
  readonly callTimeoutMs: number;
  readonly pollIntervalMs: number;
  readonly pollTimeoutMs: number;
  readonly staleGraceMs: number;
  readonly formerNameGraceMs: number;
  readonly maxConnectionsPerBackend: number;
  readonly maxQueuedCallsPerBackend: number;
  /** Children of all servers that are commands. */
  readonly maxProcesses: number;
  readonly maxProcessesPerServer: number;
  /** A connection, session or child that nobody used for this long is ended. */
  readonly serverIdleMs: number;
  /** Calls that wait for an answer of the user's. */
  readonly maxParkedCalls: number;
  readonly maxParkedCallsPerPrincipal: number;
}

export interface AuditConfig {
  readonly dir: string;
  readonly retentionDays: number;
  readonly durability: 'checkpoint' | 'batch' | 'call';
  readonly onFailure: 'deny-writes' | 'deny-all' | 'continue';
  /** Records go to stdout as well. */
  readonly stdout: boolean;
  readonly rotateBytes: number;
  readonly anchors: AnchorsConfig;
}
/** Where copies of checkpoints go; each place for itself. */
export interface AnchorsConfig {
  readonly webhook: { readonly url: string; readonly token: Secret | undefined } | undefined;
  readonly syslog: MessageTarget | undefined;
  /** Header names in lower case. */
  readonly otlp: { readonly url: string; readonly headers: ReadonlyMap<string, Secret> } | undefined;
}

export interface IntegrityConfig {
  readonly mode: 'off' | 'warn' | 'block';
  /** Absolute path of the file of accepted definitions. */
  readonly baseline: string;
  /** Ed25519, 32 bytes as base64url. Undefined: the gateway signs for itself. */
  readonly publicKey: string | undefined;
  /** Texts of definitions are scanned for what people do not see. */
  readonly scan: boolean;
}

export interface KeysConfig {
  /** Where generated keys lie: beside the config file, or the user's; never beside the data. */
  readonly dir: string;
  readonly seal: KeySource;
  readonly audit: KeySource;
  readonly checkpoint: KeySource;
  readonly assertion: KeySource;
  readonly vault: VaultKeySource;
}
/** Undefined `file`: generated in `keys.dir`. */
export interface KeySource {
  readonly file: string | undefined;
}

/**
 * First found: the text, the file, a systemd credential, a Docker secret, the keychain where it is asked for, else
 * generated in `keys.dir`.
 */
export interface VaultKeySource extends KeySource {
  /** A list of keys, newest first. */
  readonly text: Secret | undefined;
  /** Where systemd would put the credential `cortex_vault_key`. */
  readonly credential: string | undefined;
  /** Where Docker would put the secret `cortex_vault_key`. */
  readonly dockerSecret: string;
  readonly keychain: boolean;
}

export interface StoreConfig {
  readonly engine: 'sqlite';
  /** Absolute path of the database file. */
  readonly path: string;
}

export interface TicketsConfig {
  readonly webhookUrl: string | undefined;
}

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'text' | 'json';
}
