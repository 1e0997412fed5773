import type { Database } from 'bun:sqlite';
import type { Clock } from '#kernel/clock.ts';
import { seconds } from './database.ts';
import { hashOf, newOpaque } from './opaque.ts';
import type { ServerLimits } from './options.ts';
import { addressRange, createWindowLimiter } from './window-limiter.ts';

export interface SignInLink {
  readonly email: string;
  /** The local path to go on to. */
  readonly next: string;
}

export interface SignInLinks {
  /** Undefined: may send; else the seconds to wait. Counts the attempt. */
  takeAllowance(email: string, address: string): number | undefined;
  /** A new link token, good in this one browser. */
  issue(email: string, browserHash: string, next: string): string;
  /** Looks without using it up. */
  peek(token: string, browserHash: string): SignInLink | undefined;
  /** Uses the link up, in one statement. Undefined: unknown, used, expired, or another browser's. */
  consume(token: string, browserHash: string): SignInLink | undefined;
}

export function createSignInLinks(database: Database, clock: Clock, limits: ServerLimits): SignInLinks {
  const perRange = createWindowLimiter(clock, limits.maxLinksPerAddressRange, limits.limitWindowSeconds);
  const perEmail = createWindowLimiter(clock, limits.maxLinksPerEmail, limits.limitWindowSeconds);
  const insert = database.query('INSERT INTO links VALUES ($hash, $email, $browserHash, $next, $expiresAt)');
  const where = 'hash = $hash AND browser_hash = $browserHash AND expires_at > $now';
  const select = database.query<SignInLink, { hash: string; browserHash: string; now: number }>(
    `SELECT email, next FROM links WHERE ${where}`,
  );
  const take = database.query<SignInLink, { hash: string; browserHash: string; now: number }>(
    `DELETE FROM links WHERE ${where} RETURNING email, next`,
  );

  return {
    takeAllowance: (email, address) => perRange.take(addressRange(address)) ?? perEmail.take(email),
    issue(email, browserHash, next) {
      const token = newOpaque();
      insert.run({
        hash: hashOf(token),
        email,
        browserHash,
        next,
        expiresAt: seconds(clock) + limits.linkSeconds,
      });
      return token;
    },
    peek: (token, browserHash) =>
      select.get({ hash: hashOf(token), browserHash, now: seconds(clock) }) ?? undefined,
    consume: (token, browserHash) =>
      take.get({ hash: hashOf(token), browserHash, now: seconds(clock) }) ?? undefined,
  };
}
