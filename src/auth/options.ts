import type { Secret } from '#kernel/secret.ts';

/** The claims whose place an issuer can override. */
export type ClaimName =
  | 'subject'
  | 'scopes'
  | 'permissions'
  | 'client'
  | 'tokenId'
  | 'session'
  | 'grant'
  | 'email'
  | 'role'
  | 'pool';

/** The kinds of issuer whose tokens are known; each has a file in `presets/`. */
export type ClaimPreset =
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

export const defaultAlgorithms: readonly string[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** One authorization server whose tokens are accepted. */
export interface IssuerOptions {
  /** Compared with `iss` and with the discovery document's `issuer`, byte for byte. */
  readonly url: string;
  /** Given, discovery is skipped. */
  readonly jwksUri?: string;
  /** One of these must be in `aud`, byte for byte. Default: the gateway's canonical URL. */
  readonly audience?: readonly string[];
  /** Asymmetric ones of JWA (RFC 7518 section 3.1, RFC 8037, RFC 9864). Default: RS256, PS256, ES256, EdDSA. */
  readonly algorithms?: readonly string[];
  /** Default: `generic`. */
  readonly preset?: ClaimPreset;
  /** Names to look at, in order, in place of the preset's; a name that is no claim is read as a dotted path. */
  readonly claims?: Readonly<Partial<Record<ClaimName, readonly string[]>>>;
  /** Scopes this issuer may give, by its tokens or by its roles; others are ignored. Absent: no ceiling. */
  readonly scopesCeiling?: readonly string[];
  /** Role -> the scopes of whoever has it. */
  readonly roleScopes?: ReadonlyMap<string, readonly string[]>;
  /** Only tokens given to these clients are accepted. Absent: any client's. */
  readonly clients?: readonly string[];
  /** Seconds since `iat`, whatever `exp` says. Default: 24 h. */
  readonly maxTokenAgeSeconds?: number;
  /** Absent: it is not asked about tokens, and its opaque tokens are nobody's. */
  readonly introspection?: IntrospectionOptions;
  /** Tokens bound to a key (RFC 9449). Default: `allow`. */
  readonly dpop?: DpopPolicy;
}

/** How an issuer is asked about tokens (RFC 7662). */
export interface IntrospectionOptions {
  readonly url: string;
  readonly client: { readonly id: string; readonly secret: Secret | undefined };
  /** When it is asked about a JWT: while its revocation feed is lost, or always. */
  readonly mode: 'fallback' | 'always';
  /** For how long an answer counts. */
  readonly cacheMs: number;
}

/** Refused; accepted beside unbound ones; the only ones accepted. */
export type DpopPolicy = 'off' | 'allow' | 'require';

/** What a caller sees of a tool whose scopes its token lacks; applied in `mcp/`. */
export type MissingScopePolicy = 'hide' | 'challenge' | 'tool_error';

/** The resource server's part of the configuration. */
export interface AuthOptions {
  /** The gateway's public URL as people type it: the `resource`, and the default audience. No query, no fragment. */
  readonly canonicalUrl: string;
  readonly issuers: readonly IssuerOptions[];
  /** What any caller needs; may be empty. */
  readonly baselineScopes: readonly string[];
  /** What the 401 asks for beside the baseline. `plans`: every scope a plan names. */
  readonly challengeScopes: 'plans' | readonly string[];
  /** Plan name -> its scopes, in the configured order. */
  readonly plans: ReadonlyMap<string, readonly string[]>;
  /** A scope -> the scopes that come with it, transitively. */
  readonly scopeImplies: ReadonlyMap<string, readonly string[]>;
  /** The pool every principal must be of; undefined: any, or none. */
  readonly requiredPool: string | undefined;
  /** Default: `limits.maxTokenBytes`. */
  readonly maxTokenBytes?: number;
}
