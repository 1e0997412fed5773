import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '#kernel/clock.ts';
import type { AdminTokens, Operator } from './admin-tokens.ts';

const lifetimeMs = 8 * 3_600_000;
const maxSessions = 256;

/** A browser in which an operator is signed in. */
export interface AdminSession {
  readonly operator: Operator;
  /** Goes with each request, from where the page keeps it: neither a page nor a server of another origin can know it. */
  readonly csrf: string;
  /** Stands in the addresses of its console, and nowhere else: a page that shows data is asked for with it. */
  readonly key: string;
  readonly expiresAt: number;
}

/** In memory alone: a restart signs everybody out. At most 256; the oldest goes. */
export interface AdminSessions {
  /** The secret that goes into the cookie, and the session. */
  open(operator: Operator): { readonly id: string; readonly session: AdminSession };
  /** Undefined where it has ended: by time, by signing out, or because its token is another one now. */
  find(id: string, tokens: AdminTokens): AdminSession | undefined;
  end(id: string): void;
}

export function createAdminSessions(clock: Clock): AdminSessions {
  const sessions = new Map<string, AdminSession>();
  const placeOf = (id: string) => createHash('sha256').update(id).digest('base64url');
  return {
    open(operator) {
      const oldest = sessions.keys().next();
      if (sessions.size >= maxSessions && !oldest.done) sessions.delete(oldest.value);
      const id = randomBytes(32).toString('base64url');
      const csrf = randomBytes(32).toString('base64url');
      const key = randomBytes(32).toString('base64url');
      const session = { operator, csrf, key, expiresAt: clock.now() + lifetimeMs };
      sessions.set(placeOf(id), session);
      return { id, session };
    },
    find(id, tokens) {
      const place = placeOf(id);
      const session = sessions.get(place);
      if (session === undefined) return undefined;
      const { name, digest } = session.operator;
      const operator = session.expiresAt > clock.now() ? tokens.holder(name, digest) : undefined;
      if (operator === undefined) sessions.delete(place);
      // Its role is the one that the token has now.
      return operator && { ...session, operator };
    },
    end: (id) => void sessions.delete(placeOf(id)),
  };
}

/** Whether a request shows the CSRF token of its session, compared in constant time. */
export function isOwnRequest(session: AdminSession, given: string | null | undefined): boolean {
  return isSame(given, session.csrf);
}

/** The same for the address of a page. */
export function isOwnAddress(session: AdminSession, given: string | undefined): boolean {
  return isSame(given, session.key);
}

function isSame(given: string | null | undefined, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return typeof given === 'string' && timingSafeEqual(digest(given), digest(right));
}
