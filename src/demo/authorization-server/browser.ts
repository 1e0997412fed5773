import type { Database } from 'bun:sqlite';
import { createHash } from 'node:crypto';
import type { Clock } from '#kernel/clock.ts';
import { seconds } from './database.ts';
import { hashOf, isSameHash, newOpaque } from './opaque.ts';
import type { User, Users } from './users.ts';

/** One browser, known by a random cookie; signed in where a session row hangs on that cookie. */
export interface Browser {
  readonly cookieHash: string;
  readonly user: User | undefined;
  /** Goes into every form as `csrf`. */
  readonly csrf: string;
  /** Set where the cookie is new: must go out with the answer. */
  readonly setCookie: string | undefined;
}

export interface Browsers {
  recognise(request: Request): Browser;
  /** Whether a form came from our own page in this browser. */
  isOwnForm(request: Request, browser: Browser, csrf: string | undefined): boolean;
  /** Signs in under a new cookie, so that a cookie planted before means nothing after; returns that cookie. */
  signIn(sub: string): string;
  signOut(browser: Browser): void;
}

export function createBrowsers(deps: {
  readonly database: Database;
  readonly clock: Clock;
  readonly users: Users;
  readonly issuer: string;
  readonly sessionSeconds: number;
}): Browsers {
  const { database, clock, users, issuer, sessionSeconds } = deps;
  const isSecure = issuer.startsWith('https:');
  const name = isSecure ? '__Host-cortex-demo' : 'cortex-demo';
  const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${sessionSeconds}${isSecure ? '; Secure' : ''}`;
  const select = database.query<{ sub: string }, { hash: string; now: number }>(
    'SELECT sub FROM sessions WHERE hash = $hash AND expires_at > $now',
  );
  const insert = database.query('INSERT INTO sessions VALUES ($hash, $sub, $expiresAt)');
  const remove = database.query('DELETE FROM sessions WHERE hash = $hash');

  return {
    recognise(request) {
      const known = readCookie(request, name);
      const value = known ?? newOpaque();
      const cookieHash = hashOf(value);
      const session = known === undefined ? null : select.get({ hash: cookieHash, now: seconds(clock) });
      return {
        cookieHash,
        user: session === null ? undefined : users.bySubject(session.sub),
        csrf: createHash('sha256').update(`csrf ${value}`).digest('base64url'),
        setCookie: known === undefined ? `${name}=${value}; ${attributes}` : undefined,
      };
    },
    isOwnForm(request, browser, csrf) {
      const origin = request.headers.get('origin');
      if (origin !== null && origin !== issuer) return false;
      return csrf !== undefined && browser.setCookie === undefined && isSameHash(csrf, browser.csrf);
    },
    signIn(sub) {
      const value = newOpaque();
      insert.run({ hash: hashOf(value), sub, expiresAt: seconds(clock) + sessionSeconds });
      return `${name}=${value}; ${attributes}`;
    },
    signOut(browser) {
      remove.run({ hash: browser.cookieHash });
    },
  };
}

/** Only a value of the form we issue counts. */
function readCookie(request: Request, name: string): string | undefined {
  for (const pair of request.headers.get('cookie')?.split(';') ?? []) {
    const [key, value] = pair.trim().split('=');
    if (key === name && value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value)) return value;
  }
  return undefined;
}
