import type { IssuerOptions } from '#auth/options.ts';
import type { Principal } from '#kernel/principal.ts';

type Claims = Readonly<Record<string, unknown>>;

/**
 * The tokens of one kind of issuer. Built from the claims its makers document at `source`, never taken from a real
 * one; the values are invented. `iat` and `exp` are added when a token is minted.
 */
export interface TokenShape {
  readonly source: readonly string[];
  readonly issuer: IssuerOptions;
  /** Beside `alg` and `kid`. */
  readonly header: Claims;
  readonly person: { readonly claims: Claims; readonly is: Partial<Principal> };
  readonly machine: { readonly claims: Claims; readonly is: Partial<Principal> };
  /** The ID token of the same sign-in, with the API as its audience: the worst case. Undefined: another key signs it. */
  readonly idToken: Claims | undefined;
}

/** The gateway as these issuers' tokens name it. */
export const api = 'https://mcp.example.com/mcp';
