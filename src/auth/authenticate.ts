import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { holdsAll, type Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { type AcceptRules, acceptClaims } from './accept-claims.ts';
import { audienceRule } from './audience.ts';
import { readBearer } from './bearer.ts';
import { checkAuthOptions } from './check-options.ts';
import { claimPathsOf } from './claim-paths.ts';
import type { DenyList } from './deny-list.ts';
import type { FetchJson } from './discovery.ts';
import type { FeedHealth } from './feed-health.ts';
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.ts';
import { type ClaimRules, mapClaims } from './map-claims.ts';
import { type AuthOptions, defaultAlgorithms, type IssuerOptions } from './options.ts';
import { acceptHeader, peekToken, quote } from './peek-token.ts';
import { presets } from './presets/table.ts';
import type { RequestQuery } from './protected-resource.ts';
import { type AuthRefusal, refusal } from './refusal.ts';
import { createVerifiedTokens } from './verified-tokens.ts';
import { verifyToken } from './verify-token.ts';

/** Says who calls. */
export interface Authenticator {
  /**
   * The principal of a request, or the private reason why there is none (`Challenge` makes the answer of it).
   * At once, without a promise, for a token verified before; the same `Principal` object each time.
   */
  authenticate(
    headers: { get(name: string): string | null },
    url: RequestQuery,
  ): Result<Principal, AuthRefusal> | Promise<Result<Principal, AuthRefusal>>;
  /** Forgets every key and every verified token. */
  flush(): void;
  close(): void;
}

export interface AuthenticatorDeps {
  readonly options: AuthOptions;
  readonly fetchJson: FetchJson;
  readonly denyList: Pick<DenyList, 'denies' | 'onDenied' | 'sawToken'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: no issuer has a feed that could be lost. */
  readonly feedHealth?: FeedHealth;
  /** Default: `limits.jwksRefreshMs`. */
  readonly keyRefreshMs?: number;
}

interface Issuer extends ClaimRules, AcceptRules {
  /** As its tokens may spell it. */
  readonly spellings: readonly string[];
  readonly algorithms: readonly string[];
  readonly keys: IssuerKeys;
}

/** Throws on options that `checkAuthOptions` refuses. Fetches nothing before the first token. */
export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const { options, clock, log } = deps;
  const maxTokenBytes = options.maxTokenBytes ?? limits.maxTokenBytes;
  checkAuthOptions(options);
  const tokens = createVerifiedTokens(limits.maxVerifiedTokens);
  const issuers = bySpelling(options.issuers.map(createIssuer));
  const refresher = setInterval(() => {
    for (const issuer of issuers.values()) void issuer.keys.refresh();
  }, deps.keyRefreshMs ?? limits.jwksRefreshMs);
  refresher.unref();
  const stopForgetting = deps.denyList.onDenied((isDenied) => tokens.forget(isDenied));

  function createIssuer(issuer: IssuerOptions): Issuer {
    const preset = presets[issuer.preset ?? 'generic'];
    return {
      issuer: issuer.url,
      spellings: preset.spellings(issuer.url),
      algorithms: issuer.algorithms ?? defaultAlgorithms,
      preset,
      clients: issuer.clients && new Set(issuer.clients),
      roleScopes: issuer.roleScopes ?? new Map(),
      isForUs: audienceRule(options.canonicalUrl, issuer.audience),
      paths: claimPathsOf(issuer),
      scopesCeiling: issuer.scopesCeiling && new Set(issuer.scopesCeiling),
      maxTokenAgeSeconds: issuer.maxTokenAgeSeconds ?? limits.maxTokenAgeSeconds,
      keys: createIssuerKeys({
        issuer: issuer.url,
        jwksUri: issuer.jwksUri,
        fetchJson: deps.fetchJson,
        clock,
        log,
        onKeysChanged: tokens.clear,
      }),
    };
  }

  /** The gates for a token seen for the first time, in their order; each names its own reason. */
  async function admit(token: string): Promise<Result<Principal, AuthRefusal>> {
    const peeked = peekToken(token);
    if (!peeked.ok) return peeked;
    const issuer = issuers.get(peeked.value.issuer ?? '');
    if (issuer === undefined) return err(refusal('issuer_unknown', `iss ${quote(peeked.value.issuer)}`));
    const from = (why: AuthRefusal) => err({ ...why, issuer: issuer.issuer });

    const header = acceptHeader(peeked.value.header, issuer.algorithms, issuer.preset.isTyped);
    if (!header.ok) return from(header.error);
    const keys = await issuer.keys.candidates(header.value);
    if (!keys.ok) return from(refusal(keys.error, `kid ${quote(header.value.kid)}`));
    const claims = await verifyToken(token, header.value, keys.value, issuer, clock.now());
    if (!claims.ok) return from(claims.error);
    const unacceptable = acceptClaims(claims.value.payload, issuer);
    if (unacceptable !== undefined) return from(unacceptable);
    if (claims.value.payload.cnf !== undefined) return from(refusal('sender_constrained'));
    const principal = mapClaims(claims.value, token, issuer, options);
    if (!principal.ok) return from(principal.error);
    const { pool, scopes } = principal.value;
    if (!isOfRequiredPool(pool)) return from(refusal('pool_refused'));
    if (!holdsBaseline(scopes)) return from(refusal('scope_missing'));
    return principal;
  }

  function isOfRequiredPool(pool: string | undefined): boolean {
    return options.requiredPool === undefined || pool === options.requiredPool;
  }

  function holdsBaseline(scopes: ReadonlySet<string>): boolean {
    return options.baselineScopes.length === 0 || holdsAll(scopes, options.baselineScopes);
  }

  async function admitAndRemember(token: string, key: string): Promise<Result<Principal, AuthRefusal>> {
    const { generation } = tokens;
    const admitted = await admit(token);
    if (admitted.ok) deps.denyList.sawToken(admitted.value);
    if (admitted.ok && generation === tokens.generation) tokens.set(key, admitted.value);
    return admitted.ok ? unlessDenied(admitted.value) : refused(admitted.error);
  }

  /** Asked for each request, after the cache: what is denied there stays denied. */
  function unlessDenied(principal: Principal): Result<Principal, AuthRefusal> {
    const kind = deps.denyList.denies(principal);
    if (kind === undefined) return ok(principal);
    return refused({ ...refusal('revoked', kind), issuer: principal.issuer });
  }

  function refused(why: AuthRefusal): Result<Principal, AuthRefusal> {
    // Every client's first request has no token: not worth a line.
    if (why.reason !== 'token_missing') {
      log.info('auth.refused', { reason: why.reason, issuer: why.issuer, detail: why.detail });
    }
    return err(why);
  }

  return {
    authenticate(headers, url) {
      const token = readBearer(headers, url, maxTokenBytes);
      if (!token.ok) return refused(token.error);
      const key = tokens.keyOf(token.value);
      const known = tokens.get(key, clock.now());
      return known === undefined ? admitAndRemember(token.value, key) : unlessDenied(known);
    },
    flush() {
      for (const issuer of issuers.values()) issuer.keys.flush();
      tokens.clear();
    },
    close() {
      clearInterval(refresher);
      stopForgetting();
      for (const issuer of issuers.values()) issuer.keys.close();
      tokens.clear();
    },
  };
}

/** What is configured word for word comes before what a preset reads into another. */
function bySpelling(issuers: readonly Issuer[]): ReadonlyMap<string, Issuer> {
  const named = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  const spelled = issuers.flatMap((issuer) => issuer.spellings.map((text) => [text, issuer] as const));
  return new Map([...spelled, ...named]);
}
