import type { JsonObject } from '#kernel/json.ts';
import type { Result } from '#kernel/result.ts';
import type { Grant, GrantOwner, GrantSummary } from '../grant.ts';
import type { LinkFailure } from './link-failure.ts';
import type { FlowHolder } from './link-flows.ts';

/**
 * Links users' own accounts at third parties' servers: OAuth 2.1 with PKCE, as MCP "Authorization" wants it (R45, R47).
 * No request of it ever carries a token of the gateway's own users.
 */
export interface LinkingEngine {
  /** Finds the provider and where the browser goes. The flow is bound to owner, server and browser, for ten minutes. */
  begin(input: FlowHolder & { readonly scopes?: readonly string[] }): Promise<Result<BegunLink, LinkFailure>>;
  /** The provider sent the browser back to `url`. Nothing is stored as a link until `confirm`. */
  callback(input: FlowHolder & { readonly url: string }): Promise<Result<AnsweredLink, LinkFailure>>;
  confirm(input: FlowHolder & { readonly flow: string }): Promise<Result<GrantSummary, LinkFailure>>;
  /** Revokes at the provider (RFC 7009) as far as it can be asked, then deletes in any case. */
  unlink(owner: GrantOwner, server: string): Promise<Result<{ readonly wasRevoked: boolean }, LinkFailure>>;
  /** For `createGrantTokens`. `unavailable` keeps the grant. */
  refresh(server: string, grant: Grant): Promise<Result<Grant, 'invalid_grant' | 'unavailable'>>;
  /** For `createGrantTokens`: of tokens that no link holds. False where the provider did not confirm it. */
  revoke(server: string, grant: Grant): Promise<boolean>;
  /** The next link asks for these, too. False where the user was asked for them often enough. */
  needsScopes(owner: GrantOwner, server: string, scopes: readonly string[]): boolean;
  /**
   * What is served at `/.well-known/oauth-client/<server>.json`: providers read it without a token, so there is one for
   * every id, and it tells nobody which servers there are.
   */
  clientDocument(server: string): JsonObject;
  close(): Promise<void>;
}

export interface BegunLink {
  readonly authorizeUrl: string;
  /** For people: the host of the authorization server. */
  readonly provider: string;
}
export interface AnsweredLink {
  /** Continues the flow at `confirm`; a secret. */
  readonly flow: string;
  readonly account: string | undefined;
  readonly scopes: readonly string[];
  readonly provider: string;
}
