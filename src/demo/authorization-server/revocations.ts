import type { AccessTokenClaims } from './access-tokens.ts';
import type { Grants } from './grants.ts';
import type { RevocationFeed } from './revocation-feed.ts';

export interface Revocations {
  /** Ends a grant with all its tokens. */
  grant(id: string, sub: string): Promise<void>;
  /** Ends every grant of a user. */
  user(sub: string): Promise<void>;
  /** Ends one access token; its refresh token lives on. */
  accessToken(claims: AccessTokenClaims): Promise<void>;
}

/** Writes each revocation to the database first, then tells the readers of the feed. */
export function createRevocations(grants: Grants, feed: RevocationFeed): Revocations {
  const revocations: Revocations = {
    async grant(id, sub) {
      if (grants.revoke(id)) await feed.publish({ kind: 'session', sub, sid: id });
    },
    async user(sub) {
      for (const grant of grants.ofUser(sub)) await revocations.grant(grant.id, sub);
    },
    async accessToken(claims) {
      grants.revokeAccessToken(claims.jti, claims.expiresAt);
      await feed.publish({ kind: 'token', jti: claims.jti });
    },
  };
  return revocations;
}
