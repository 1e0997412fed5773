import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '#kernel/clock.ts';
import { randomId } from '#kernel/ids.ts';
import { seconds } from './database.ts';
import type { SigningKey } from './signing-key.ts';
import type { User } from './users.ts';

/** What an access token says: RFC 9068, with `sid`, `email` and `role` besides. */
export interface AccessTokenClaims {
  readonly sub: string;
  readonly audience: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly sid: string;
  readonly jti: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface AccessTokens {
  mint(token: {
    readonly user: User;
    readonly audience: string;
    readonly clientId: string;
    readonly scopes: readonly string[];
    readonly sid: string;
    /** Seconds since the epoch; never later than the configured lifetime. */
    readonly notAfter?: number;
    /** Who acts for the user (RFC 8693 section 4.1). */
    readonly actor?: string;
  }): Promise<{ readonly token: string; readonly expiresInSeconds: number }>;
  /** Undefined: not ours, or expired. Says nothing about revocation. */
  verify(token: string): Promise<AccessTokenClaims | undefined>;
}

export function createAccessTokens(
  issuer: string,
  key: SigningKey,
  clock: Clock,
  lifetimeSeconds: number,
): AccessTokens {
  const keys = createLocalJWKSet({ keys: [key.publicJwk] });

  return {
    async mint({ user, audience, clientId, scopes, sid, notAfter, actor }) {
      const now = seconds(clock);
      const expiresAt = Math.min(now + lifetimeSeconds, notAfter ?? Number.POSITIVE_INFINITY);
      const claims = {
        client_id: clientId,
        scope: scopes.join(' '),
        sid,
        email: user.email,
        role: user.role,
      };
      const token = await new SignJWT(actor === undefined ? claims : { ...claims, act: { sub: actor } })
        .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: key.kid })
        .setIssuer(issuer)
        .setSubject(user.sub)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(expiresAt)
        .setJti(randomId())
        .sign(key.privateKey);
      return { token, expiresInSeconds: expiresAt - now };
    },
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer,
          typ: 'at+jwt',
          algorithms: ['RS256'],
          currentDate: new Date(clock.now()),
        });
        const { sub, aud, jti, iat, exp, client_id: clientId, scope, sid } = payload;
        if (typeof sub !== 'string' || typeof aud !== 'string' || typeof jti !== 'string') return undefined;
        if (typeof iat !== 'number' || typeof exp !== 'number' || typeof clientId !== 'string')
          return undefined;
        if (typeof scope !== 'string' || typeof sid !== 'string') return undefined;
        return {
          sub,
          audience: aud,
          jti,
          issuedAt: iat,
          expiresAt: exp,
          clientId,
          scopes: scope.split(' '),
          sid,
        };
      } catch {
        return undefined;
      }
    },
  };
}
