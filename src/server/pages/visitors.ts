import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Deniable } from '#auth/denied.ts';
import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, isStringArray, parseJson, stringAt } from '#kernel/json.ts';
import { type Principal, principalKey } from '#kernel/principal.ts';
import type { Sealer } from '#keys/sealer.ts';
import type { GrantOwner } from '#vault/grant.ts';

/** Who is signed in on the pages: what identifies the principal, and nothing that opens another door. */
export interface PageSession {
  readonly owner: GrantOwner;
  /** For people: the e-mail address, or the subject. */
  readonly name: string;
  /** Those of the token that a server asks for. */
  readonly scopes: ReadonlySet<string>;
}

/** One browser, known by a random cookie. */
export interface Visitor {
  /** The hash of that cookie: what flows are bound to. */
  readonly browser: string;
  readonly session: PageSession | undefined;
  /** Goes into every form; another one for each session. */
  readonly csrf: string;
  /** Set where the browser is new: must go out with the answer. */
  readonly cookies: readonly string[];
}

export interface Visitors {
  recognise(request: Request): Visitor;
  /** Whether a form came from our own page in this browser, by whoever is signed in now. */
  isOwnForm(request: Request, visitor: Visitor, csrf: string | undefined): boolean;
  /** The cookie of a session; `relevant` are the scopes that are worth remembering. */
  signIn(visitor: Visitor, principal: Principal, relevant: ReadonlySet<string>): string;
  signOut(): string;
  /** The operator's pass to link one server for the catalog, in this browser; `undefined` takes it back. */
  catalogPass(visitor: Visitor, server: string | undefined): string;
  holdsCatalogPass(request: Request, visitor: Visitor, server: string): boolean;
}

const sessionMs = 3_600_000;
const catalogPassMs = 15 * 60_000;
/** A cookie has room for 4 KB, and sealing adds a third. */
const maxScopeCharacters = 2_000;
const maxNameLength = 200;

export function createVisitors(deps: {
  readonly origin: () => string;
  /** A session of an issuer that is not configured any more is none. */
  readonly isKnownIssuer: (issuer: string) => boolean;
  /** A session that a token began is over when that token is denied. */
  readonly isDenied: (token: Deniable) => boolean;
  readonly sealer: Sealer;
  readonly clock: Clock;
}): Visitors {
  const { origin, sealer, clock } = deps;

  /** Cookies know no ports: gateways on one machine must not take each other's. */
  function nameOf(kind: 'browser' | 'session' | 'catalog'): string {
    const url = origin();
    return url.startsWith('https:') ? `__Host-cortex-${kind}` : `cortex-${kind}-${new URL(url).port}`;
  }
  const attributes = () =>
    `; Path=/; HttpOnly; SameSite=Lax${origin().startsWith('https:') ? '; Secure' : ''}`;

  function readSession(browser: string, sealed: string | undefined): PageSession | undefined {
    if (sealed === undefined) return undefined;
    const opened = sealer.open('page_session', [browser], sealed);
    const parsed = opened.ok ? parseJson(opened.value) : undefined;
    if (parsed?.ok !== true || !isJsonObject(parsed.value)) return undefined;
    const { scopes, expires } = parsed.value;
    const issuer = stringAt(parsed.value, 'issuer');
    const subject = stringAt(parsed.value, 'subject');
    if (issuer === undefined || subject === undefined || !deps.isKnownIssuer(issuer)) return undefined;
    if (typeof expires !== 'number' || expires <= clock.now()) return undefined;
    if (deps.isDenied(readToken(issuer, subject, parsed.value.token))) return undefined;
    return {
      owner: { issuer, subject, key: principalKey(issuer, subject) },
      name: stringAt(parsed.value, 'name') ?? subject,
      scopes: new Set(isStringArray(scopes) ? scopes : []),
    };
  }

  return {
    recognise(request) {
      const known = readCookie(request, nameOf('browser'), /^[A-Za-z0-9_-]{43}$/);
      const value = known ?? randomBytes(32).toString('base64url');
      const browser = hash(`browser ${value}`);
      const sealed = readCookie(request, nameOf('session'), /^[A-Za-z0-9_-]{1,4000}$/);
      const session = readSession(browser, sealed);
      return {
        browser,
        session,
        csrf: hash(`csrf ${value} ${session?.owner.key ?? ''}`),
        cookies: known === undefined ? [`${nameOf('browser')}=${value}${attributes()}`] : [],
      };
    },

    isOwnForm(request, visitor, csrf) {
      const from = request.headers.get('origin');
      const site = request.headers.get('sec-fetch-site');
      const target = request.headers.get('sec-fetch-dest');
      if (from !== null && from !== origin()) return false;
      if (site !== null && site !== 'same-origin') return false;
      if (target !== null && target !== 'document') return false;
      return csrf !== undefined && visitor.cookies.length === 0 && isSame(csrf, visitor.csrf);
    },

    signIn(visitor, principal, relevant) {
      const { issuer, subject, email } = principal;
      const token = writeToken(principal);
      const expires = Math.min(clock.now() + sessionMs, principal.expiresAt * 1_000);
      const payload = {
        issuer,
        subject,
        name: (email ?? subject).slice(0, maxNameLength),
        scopes: fitting(
          [...principal.scopes].filter((scope) => relevant.has(scope)),
          token.join('').length,
        ),
        expires,
        token,
      };
      const sealed = sealer.seal('page_session', [visitor.browser], JSON.stringify(payload));
      const seconds = Math.max(0, Math.floor((expires - clock.now()) / 1_000));
      return `${nameOf('session')}=${sealed}; Max-Age=${seconds}${attributes()}`;
    },

    signOut: () => `${nameOf('session')}=; Max-Age=0${attributes()}`,

    catalogPass(visitor, server) {
      if (server === undefined) return `${nameOf('catalog')}=; Max-Age=0${attributes()}`;
      const until = String(clock.now() + catalogPassMs);
      const sealed = sealer.seal('page_session', [visitor.browser, 'catalog', server], until);
      return `${nameOf('catalog')}=${sealed}; Max-Age=${catalogPassMs / 1_000}${attributes()}`;
    },
    holdsCatalogPass(request, visitor, server) {
      const sealed = readCookie(request, nameOf('catalog'), /^[A-Za-z0-9_-]{1,500}$/);
      if (sealed === undefined) return false;
      const opened = sealer.open('page_session', [visitor.browser, 'catalog', server], sealed);
      return opened.ok && Number(opened.value) > clock.now();
    },
  };
}

/** What a revocation can name of the token that began a session. */
function writeToken({ issuedAt, sessionId, clientId, grantId, tokenId }: Principal) {
  return [issuedAt, sessionId ?? '', clientId ?? '', grantId ?? '', tokenId ?? ''] as const;
}

/** A session from before this was kept counts as older than any revocation. */
function readToken(issuer: string, subject: string, written: unknown): Deniable {
  const [issuedAt, ...ids]: readonly unknown[] = Array.isArray(written) ? written : [];
  const [sessionId, clientId, grantId, tokenId] = ids.map((id) =>
    typeof id === 'string' && id !== '' ? id : undefined,
  );
  const since = typeof issuedAt === 'number' ? issuedAt : 0;
  return { issuer, subject, sessionId, clientId, grantId, tokenId, issuedAt: since };
}

function fitting(scopes: readonly string[], taken: number): readonly string[] {
  let room = maxScopeCharacters - taken;
  return scopes.filter((scope) => {
    room -= scope.length + 3;
    return room >= 0;
  });
}

function readCookie(request: Request, name: string, shape: RegExp): string | undefined {
  for (const pair of request.headers.get('cookie')?.split(';') ?? []) {
    const [key, value] = pair.trim().split('=');
    if (key === name && value !== undefined && shape.test(value)) return value;
  }
  return undefined;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
