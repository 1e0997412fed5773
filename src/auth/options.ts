/** A claim's place in a token: `realm_access.roles`, or the segments themselves where a name holds dots or is a URL. */
export type ClaimPath = string | readonly string[];

/** The claims whose place an issuer can override. */
export type ClaimName = 'scopes' | 'client' | 'role' | 'pool' | 'email' | 'subject' | 'session' | 'id';

/** Where an issuer's tokens keep what. `rfc9068` also insists on the type `at+jwt` (RFC 9068 section 4). */
export type ClaimPreset = 'rfc9068' | 'generic';

const asymmetric = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

/** Asymmetric only: a shared-secret algorithm would let anyone sign with the issuer's public key. */
export type SigningAlgorithm = (typeof asymmetric)[number];

export function isSigningAlgorithm(value: string): value is SigningAlgorithm {
  return asymmetric.some((algorithm) => algorithm === value);
}

export const defaultAlgorithms: readonly SigningAlgorithm[] = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** One authorization server whose tokens are accepted. */
export interface IssuerOptions {
  /** Compared with `iss` and with the discovery document's `issuer`, byte for byte. */
  readonly url: string;
  /** Given, discovery is skipped. */
  readonly jwksUri?: string;
  /** One of these must be in `aud`, byte for byte. Default: the gateway's canonical URL. */
  readonly audience?: readonly string[];
  /** Default: RS256, PS256, ES256, EdDSA. */
  readonly algorithms?: readonly SigningAlgorithm[];
  /** Default: `generic`. */
  readonly preset?: ClaimPreset;
  readonly claims?: Readonly<Partial<Record<ClaimName, ClaimPath>>>;
  /** Scopes this issuer may give; others in its tokens are ignored. Absent: no ceiling. */
  readonly scopesCeiling?: readonly string[];
  /** Seconds since `iat`, whatever `exp` says. Default: 24 h. */
  readonly maxTokenAgeSeconds?: number;
}

/** What a caller sees of a tool whose scopes its token lacks; applied in `mcp/`. */
export type MissingScopePolicy = 'hide' | 'challenge' | 'tool_error';

/** The resource server's part of the configuration. */
export interface AuthOptions {
  /** The gateway's public URL as people type it: the `resource`, and the default audience. No query, no fragment. */
  readonly canonicalUrl: string;
  readonly issuers: readonly IssuerOptions[];
  /** What any caller needs; may be empty. */
  readonly baselineScopes: readonly string[];
  /** What the 401 asks for. `plans`: the baseline and every scope a plan names. */
  readonly challengeScopes: 'plans' | readonly string[];
  /** Plan name -> its scopes, in the configured order. */
  readonly plans: Readonly<Record<string, readonly string[]>>;
  /** A scope -> the scopes that come with it, transitively. */
  readonly scopeImplies: Readonly<Record<string, readonly string[]>>;
  /** The pool every principal must be of; undefined: any, or none. */
  readonly requiredPool: string | undefined;
}
