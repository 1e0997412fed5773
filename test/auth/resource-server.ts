import { type Authenticator, createAuthenticator } from '#auth/authenticate.ts';
import { createChallenge } from '#auth/challenge.ts';
import type { DenyList } from '#auth/deny-list.ts';
import type { FetchJson } from '#auth/discovery.ts';
import { createDpop, type Dpop } from '#auth/dpop.ts';
import type { FeedHealth } from '#auth/feed-health.ts';
import type { AuthOptions, IssuerOptions } from '#auth/options.ts';
import { dpopPolicyOf } from '#auth/protected-resource.ts';
import type { AuthRefusal } from '#auth/refusal.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Log, LogFields } from '#kernel/log.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { createSealer } from '#keys/sealer.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { ringOf } from '../audit/support/audit-kit.ts';
import { nothingDenied } from '../support/nothing-denied.ts';

export const canonicalUrl = 'https://mcp.example.com/mcp';

export interface FakeClock extends Clock {
  /** Seconds since the epoch. */
  seconds(): number;
  advance(ms: number): void;
}

export function createFakeClock(): FakeClock {
  let now = 1_800_000_000_000;
  return {
    now: () => now,
    monotonic: () => now,
    seconds: () => now / 1_000,
    advance: (ms) => {
      now += ms;
    },
  };
}

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly fields: LogFields;
}

export function createLogBook(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at =
    (level: string) =>
    (event: string, fields: LogFields = {}) => {
      lines.push({ level, event, fields });
    };
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

/** The port as a small real client. */
export const fetchJson: FetchJson = async (url, signal) => {
  try {
    const response = await fetch(url, { signal, redirect: 'manual' });
    return response.status === 200 ? ok(await response.json()) : err(`status ${response.status}`);
  } catch (error) {
    return err(String(error));
  }
};

export interface ResourceServer extends Disposable {
  readonly authenticator: Authenticator;
  readonly clock: FakeClock;
  readonly lines: LogLine[];
  /** Asks with a token (or a whole `Authorization` value), at `/mcp` plus a query. */
  ask(
    authorization: string | undefined,
    query?: string,
    proof?: string,
  ): Promise<Result<Principal, AuthRefusal>>;
  /** The answer on the wire: 200 for a principal. */
  answer(authorization: string | undefined, query?: string, proof?: string): Promise<Response>;
  /** What a proof of this moment must carry. */
  nonce(): string;
}

export function createResourceServer(
  issuers: readonly IssuerOptions[],
  settings: Partial<AuthOptions> & {
    readonly keyRefreshMs?: number;
    readonly fetchJson?: FetchJson;
    readonly denyList?: Partial<DenyList>;
    readonly outbound?: Pick<Outbound, 'request'>;
    readonly feedHealth?: FeedHealth;
    readonly dpop?: (clock: Clock) => Dpop;
  } = {},
): ResourceServer {
  const options: AuthOptions = {
    canonicalUrl,
    issuers,
    baselineScopes: [],
    challengeScopes: 'plans',
    plans: new Map(),
    scopeImplies: new Map(),
    requiredPool: undefined,
    ...settings,
  };
  const clock = createFakeClock();
  const { log, lines } = createLogBook();
  const dpop = settings.dpop?.(clock) ?? createDpop({ sealer: createSealer(ringOf(7)), clock });
  const authenticator = createAuthenticator({
    options,
    dpop,
    outbound: settings.outbound ?? { request: () => Promise.reject(new Error('nobody is to be asked')) },
    feedHealth: settings.feedHealth,
    fetchJson: settings.fetchJson ?? fetchJson,
    denyList: { ...nothingDenied, ...settings.denyList },
    clock,
    log,
    keyRefreshMs: settings.keyRefreshMs,
  });
  const challenge = createChallenge(options, { policy: dpopPolicyOf(issuers), nonce: dpop.nonce });
  const urlOf = (query: string) => new URL(`http://127.0.0.1/mcp${query}`);

  async function ask(authorization: string | undefined, query = '', proof?: string) {
    const headers = new Headers(proof === undefined ? {} : { dpop: proof });
    if (authorization !== undefined) {
      headers.set(
        'authorization',
        authorization.includes(' ') || authorization === '' ? authorization : `Bearer ${authorization}`,
      );
    }
    return authenticator.authenticate(headers, { search: urlOf(query).search, method: 'POST' });
  }

  return {
    authenticator,
    clock,
    lines,
    ask,
    nonce: dpop.nonce,
    async answer(authorization, query = '', proof) {
      const outcome = await ask(authorization, query, proof);
      return outcome.ok ? new Response('welcome') : challenge.answer(outcome.error, urlOf(query));
    },
    [Symbol.dispose]: () => authenticator.close(),
  };
}

/** Good claims of a user's token at the clock's time. */
export function goodClaims(issuer: string, clock: FakeClock): Record<string, unknown> {
  return {
    iss: issuer,
    sub: 'alice',
    aud: canonicalUrl,
    client_id: 'client-1',
    iat: clock.seconds(),
    exp: clock.seconds() + 3_600,
    scope: 'notes:read notes:write',
  };
}

export function principalOf(outcome: Result<Principal, AuthRefusal>): Principal {
  if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome.error)}`);
  return outcome.value;
}

export function reasonOf(outcome: Result<Principal, AuthRefusal>): string {
  return outcome.ok ? 'admitted' : outcome.error.reason;
}
