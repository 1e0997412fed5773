import type { JsonObject } from '#kernel/json.ts';
import type { ClaimName } from '../options.ts';

/** For each claim the places to look in, the first one found winning (scopes and roles: all of them together). */
export type ClaimPaths = Readonly<Record<ClaimName, readonly string[]>>;

/** What is particular to one kind of issuer: where its tokens keep what, and what they must not be mistaken for. */
export interface Preset {
  readonly paths: ClaimPaths;
  /** The header's type must be `at+jwt` (RFC 9068 section 4); else `JWT` and none are accepted too. */
  readonly isTyped: boolean;
  /**
   * Whether every token has a subject, a client's own too. Where not, a token without `sub` is taken for the
   * client's own: then all people whose `sub` was forgotten would be one principal.
   */
  readonly hasSubjectAlways: boolean;
  /** Roles may be the keys of an object that is not empty, as well as text. */
  readonly mayKeyRoles: boolean;
  /** Tokens without `aud` are known by their client, which must then be a configured one. */
  readonly mayLackAudience: boolean;
  /** Tells access tokens from ID tokens where one key signs both, with one type. */
  readonly isAccessToken: (payload: JsonObject) => boolean;
  /** Signs, beside `sub` being the client id, that no person stands behind the token. A label: the subject stays `sub`. */
  readonly isMachine: (payload: JsonObject, clientId: string) => boolean;
  /** The issuer as its tokens may spell it; the first is the configured one. */
  readonly spellings: (issuer: string) => readonly string[];
}

/** Where most issuers keep what; the rest is each preset's own. */
export const usualPaths = {
  scopes: ['scope'],
  permissions: [],
  pool: ['pool'],
  email: ['email'],
  subject: ['sub'],
  session: ['sid'],
  grant: ['grant_id'],
  tokenId: ['jti'],
} satisfies Partial<ClaimPaths>;

/** What most issuers have in common. */
export const plain = {
  isTyped: false,
  hasSubjectAlways: true,
  mayKeyRoles: false,
  mayLackAudience: false,
  isAccessToken: () => true,
  isMachine: () => false,
  spellings: (issuer: string): readonly string[] => [issuer],
} as const;
