import type { Database } from 'bun:sqlite';
import type { Clock } from '#kernel/clock.ts';
import { seconds } from './database.ts';
import { hashOf, newOpaque } from './opaque.ts';
import type { ServerLimits } from './options.ts';

/** One consent of one user to one client; its id is the `sid` of every token that comes of it. */
export interface Grant {
  readonly id: string;
  readonly clientId: string;
  readonly clientName: string;
  readonly canRefresh: boolean;
  readonly sub: string;
  readonly resource: string;
  readonly scopes: readonly string[];
  readonly createdAt: number;
}
export interface Code {
  readonly grant: Grant;
  readonly redirectUri: string;
  readonly challenge: string;
  readonly isExpired: boolean;
}
export interface RefreshToken {
  readonly grant: Grant;
  readonly isUsed: boolean;
}

export interface Grants {
  /** Records a consent and returns its authorization code. */
  start(grant: Omit<Grant, 'id' | 'createdAt'>, redirectUri: string, challenge: string): string;
  /** The live grant with this id. */
  find(id: string): Grant | undefined;
  ofUser(sub: string): readonly Grant[];
  findCode(code: string): Code | undefined;
  /** Marks the code used, in one statement: of several at the same time exactly one gets true. */
  useCode(code: string): boolean;
  issueRefreshToken(grantId: string): string;
  findRefreshToken(token: string): RefreshToken | undefined;
  /** As `useCode`. */
  useRefreshToken(token: string): boolean;
  /** Deletes the grant with its code and refresh tokens. False: it had ended already. */
  revoke(id: string): boolean;
  revokeAccessToken(jti: string, expiresAt: number): void;
  isAccessTokenRevoked(jti: string): boolean;
}

interface GrantRow {
  readonly id: string;
  readonly client_id: string;
  readonly client_name: string;
  readonly can_refresh: number;
  readonly sub: string;
  readonly resource: string;
  readonly scopes: string;
  readonly created_at: number;
}

const live = 'grants.expires_at > $now';

export function createGrants(database: Database, clock: Clock, limits: ServerLimits): Grants {
  const insertGrant = database.query(
    'INSERT INTO grants VALUES ($id, $clientId, $clientName, $canRefresh, $sub, $resource, $scopes, $now, $expiresAt)',
  );
  const insertCode = database.query(
    'INSERT INTO codes VALUES ($hash, $grantId, $redirectUri, $challenge, $expiresAt, NULL)',
  );
  const byId = database.query<GrantRow, { id: string; now: number }>(
    `SELECT * FROM grants WHERE id = $id AND ${live}`,
  );
  const ofUser = database.query<GrantRow, { sub: string; now: number }>(
    `SELECT * FROM grants WHERE sub = $sub AND ${live} ORDER BY created_at DESC, id`,
  );
  const codeRow = database.query<
    GrantRow & { redirect_uri: string; challenge: string; code_expires_at: number },
    { hash: string; now: number }
  >(
    `SELECT grants.*, codes.redirect_uri, codes.challenge, codes.expires_at AS code_expires_at
     FROM codes JOIN grants ON grants.id = codes.grant_id WHERE codes.hash = $hash AND ${live}`,
  );
  const useCode = database.query('UPDATE codes SET used_at = $now WHERE hash = $hash AND used_at IS NULL');
  const insertRefresh = database.query('INSERT INTO refresh_tokens VALUES ($hash, $grantId, NULL)');
  const refreshRow = database.query<GrantRow & { used_at: number | null }, { hash: string; now: number }>(
    `SELECT grants.*, refresh_tokens.used_at FROM refresh_tokens JOIN grants ON grants.id = refresh_tokens.grant_id
     WHERE refresh_tokens.hash = $hash AND ${live}`,
  );
  // Used tokens are kept to notice their reuse, but not without end.
  const forgetOldest = database.query(
    `DELETE FROM refresh_tokens WHERE grant_id = $grantId AND rowid NOT IN
       (SELECT rowid FROM refresh_tokens WHERE grant_id = $grantId ORDER BY rowid DESC LIMIT $keep)`,
  );
  const useRefresh = database.query(
    'UPDATE refresh_tokens SET used_at = $now WHERE hash = $hash AND used_at IS NULL',
  );
  const revoke = database.query('DELETE FROM grants WHERE id = $id');
  const insertRevoked = database.query('INSERT OR IGNORE INTO revoked_tokens VALUES ($jti, $expiresAt)');
  const revokedRow = database.query<{ jti: string }, { jti: string }>(
    'SELECT jti FROM revoked_tokens WHERE jti = $jti',
  );
  const now = () => seconds(clock);

  return {
    start(grant, redirectUri, challenge) {
      const id = crypto.randomUUID();
      const code = newOpaque();
      database.transaction(() => {
        insertGrant.run({
          id,
          clientId: grant.clientId,
          clientName: grant.clientName,
          canRefresh: grant.canRefresh ? 1 : 0,
          sub: grant.sub,
          resource: grant.resource,
          scopes: grant.scopes.join(' '),
          now: now(),
          expiresAt: now() + limits.grantSeconds,
        });
        insertCode.run({
          hash: hashOf(code),
          grantId: id,
          redirectUri,
          challenge,
          expiresAt: now() + limits.codeSeconds,
        });
      })();
      return code;
    },
    find(id) {
      const row = byId.get({ id, now: now() });
      return row === null ? undefined : toGrant(row);
    },
    ofUser: (sub) => ofUser.all({ sub, now: now() }).map(toGrant),
    findCode(code) {
      const row = codeRow.get({ hash: hashOf(code), now: now() });
      if (row === null) return undefined;
      const isExpired = row.code_expires_at <= now();
      return { grant: toGrant(row), redirectUri: row.redirect_uri, challenge: row.challenge, isExpired };
    },
    useCode: (code) => useCode.run({ hash: hashOf(code), now: now() }).changes === 1,
    issueRefreshToken(grantId) {
      const token = newOpaque();
      insertRefresh.run({ hash: hashOf(token), grantId });
      forgetOldest.run({ grantId, keep: limits.maxRefreshTokensPerGrant });
      return token;
    },
    findRefreshToken(token) {
      const row = refreshRow.get({ hash: hashOf(token), now: now() });
      return row === null ? undefined : { grant: toGrant(row), isUsed: row.used_at !== null };
    },
    useRefreshToken: (token) => useRefresh.run({ hash: hashOf(token), now: now() }).changes === 1,
    revoke: (id) => revoke.run({ id }).changes > 0,
    revokeAccessToken(jti, expiresAt) {
      insertRevoked.run({ jti, expiresAt });
    },
    isAccessTokenRevoked: (jti) => revokedRow.get({ jti }) !== null,
  };
}

function toGrant(row: GrantRow): Grant {
  return {
    id: row.id,
    clientId: row.client_id,
    clientName: row.client_name,
    canRefresh: row.can_refresh === 1,
    sub: row.sub,
    resource: row.resource,
    scopes: row.scopes.split(' '),
    createdAt: row.created_at,
  };
}
