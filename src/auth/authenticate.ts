import type { Clock } from '#kernel/clock.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { createAdmission } from './admission.ts';
import { type AskedIssuer, createAskedTokens, isOpaqueToken } from './asked-tokens.ts';
import { readToken } from './bearer.ts';
import { checkAuthOptions } from './check-options.ts';
import type { DenyList } from './deny-list.ts';
import type { FetchJson } from './discovery.ts';
import type { Dpop } from './dpop.ts';
import type { FeedHealth } from './feed-health.ts';
import { createIntrospection } from './introspection.ts';
import type { AuthOptions, IssuerOptions } from './options.ts';
import type { RequestQuery } from './protected-resource.ts';
import { type AuthRefusal, refusal } from './refusal.ts';
import { createVerifiedTokens } from './verified-tokens.ts';

/** What is asked of a request besides its headers. */
export interface AuthRequest extends RequestQuery {
  /** Given only for a request to the gateway's own URL: nowhere else can a proof be for it. */
  readonly method?: string;
}

/** Says who calls. */
export interface Authenticator {
  /**
   * The principal of a request, or the private reason why there is none (`Challenge` makes the answer of it).
   * At once, without a promise, for a bearer token verified before; the same `Principal` object each time.
   */
  authenticate(
    headers: { get(name: string): string | null },
    request: AuthRequest,
  ): Identified | Promise<Identified>;
  /**
   * Whether a token that was let in still would be, for what stays open with it: false once an issuer that is asked
   * about its tokens says no, or nothing. True at once where none is asked.
   */
  isStillGood(principal: Principal): true | Promise<boolean>;
  /** Forgets every key and every verified token. */
  flush(): void;
  close(): void;
}
type Identified = Result<Principal, AuthRefusal>;

export interface AuthenticatorDeps {
  readonly options: AuthOptions;
  readonly fetchJson: FetchJson;
  readonly outbound: Pick<Outbound, 'request'>;
  readonly dpop: Dpop;
  readonly denyList: Pick<DenyList, 'denies' | 'onDenied' | 'sawToken'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Default: no issuer has a feed that could be lost. */
  readonly feedHealth?: FeedHealth;
  /** Default: `limits.jwksRefreshMs`. */
  readonly keyRefreshMs?: number;
}

/** Throws on options that `checkAuthOptions` refuses. Fetches nothing before the first token. */
export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const { options, dpop, denyList, clock, log } = deps;
  const maxTokenBytes = options.maxTokenBytes ?? limits.maxTokenBytes;
  checkAuthOptions(options);
  const tokens = createVerifiedTokens(limits.maxVerifiedTokens);
  const admission = createAdmission({ ...deps, onKeysChanged: forget });
  const takesProofs = options.issuers.some((issuer) => issuer.dpop !== 'off');
  const asked = createAskedTokens({
    issuers: options.issuers.flatMap(askedIssuer),
    feedHealth: deps.feedHealth,
    clock,
  });
  const refresher = setInterval(admission.refresh, deps.keyRefreshMs ?? limits.jwksRefreshMs);
  refresher.unref();
  const stopForgetting = denyList.onDenied((isDenied) => tokens.forget(isDenied));

  function askedIssuer({ url, introspection }: IssuerOptions): readonly AskedIssuer[] {
    if (introspection === undefined) return [];
    return [
      {
        issuer: url,
        options: introspection,
        introspection: createIntrospection({ ...deps, issuer: url, options: introspection }),
        principalOf: (answer, token) => saw(admission.admitOpaque(url, answer, token)),
      },
    ];
  }

  function forget(): void {
    tokens.clear();
    asked?.clear();
  }

  function saw(admitted: Identified): Identified {
    if (admitted.ok) denyList.sawToken(admitted.value);
    return admitted;
  }

  async function admitAndRemember(token: string, key: string): Promise<Identified> {
    const { generation } = tokens;
    const admitted = saw(await admission.admit(token));
    if (admitted.ok) {
      if (generation === tokens.generation) tokens.set(key, admitted.value);
      return asked === undefined ? admitted : asked.confirm(admitted.value, key);
    }
    const isOpaque = admitted.error.reason === 'token_malformed' && isOpaqueToken(token);
    return asked === undefined || !isOpaque ? admitted : asked.identify(token, key);
  }

  /** Whose a token is, however it was sent; without a promise for one that is known. */
  function identify(token: string): Identified | Promise<Identified> {
    const key = tokens.keyOf(token);
    const known = tokens.get(key, clock.now());
    if (asked === undefined) return known === undefined ? admitAndRemember(token, key) : ok(known);
    if (known !== undefined) return asked.confirm(known, key);
    return asked.known(key) ?? admitAndRemember(token, key);
  }

  async function isConfirmed(principal: Principal): Promise<boolean> {
    const identified = await identify(principal.token.reveal());
    return identified.ok;
  }

  /** A token that is bound to a key is worth nothing to whoever merely has it (RFC 9449 section 7.2). */
  function asBearer(identified: Identified): Identified {
    if (!identified.ok) return refused(identified.error);
    const { tokenKind, issuer } = identified.value;
    if (tokenKind === 'dpop') return refused({ ...refusal('sender_constrained'), issuer });
    return unlessDenied(identified.value, identified);
  }

  async function asDpop(token: string, proof: string | null, method: string): Promise<Identified> {
    const identified = await identify(token);
    const known = identified.ok ? unlessDenied(identified.value, identified) : refused(identified.error);
    const proven = known.ok
      ? await prove(known.value, proof, { method, url: options.canonicalUrl, token })
      : known;
    return proven.ok ? proven : err({ ...proven.error, scheme: 'DPoP' });
  }

  async function prove(...asked: Parameters<Dpop['prove']>): Promise<Identified> {
    const proven = await dpop.prove(...asked);
    // Time went by: it may have been denied meanwhile.
    return proven.ok
      ? unlessDenied(proven.value, proven)
      : refused({ ...proven.error, issuer: asked[0].issuer });
  }

  /** Asked for each request, after the cache: what is denied there stays denied. */
  function unlessDenied(principal: Principal, admitted: Identified): Identified {
    const kind = denyList.denies(principal);
    return kind === undefined ? admitted : refused({ ...refusal('revoked', kind), issuer: principal.issuer });
  }

  function refused(why: AuthRefusal): Identified {
    // Every client's first request has no token: not worth a line.
    if (why.reason !== 'token_missing') {
      log.info('auth.refused', { reason: why.reason, issuer: why.issuer, detail: why.detail });
    }
    return err(why);
  }

  return {
    authenticate(headers, request) {
      const token = readToken(headers, request, 'Bearer', maxTokenBytes);
      if (token.ok) {
        const identified = identify(token.value);
        return identified instanceof Promise ? identified.then(asBearer) : asBearer(identified);
      }
      const { method } = request;
      if (token.error.reason !== 'scheme_refused' || !takesProofs || method === undefined) {
        return refused(token.error);
      }
      const bound = readToken(headers, request, 'DPoP', maxTokenBytes);
      return bound.ok ? asDpop(bound.value, headers.get('dpop'), method) : refused(bound.error);
    },
    isStillGood: (principal) => (asked?.concerns(principal) === true ? isConfirmed(principal) : true),
    flush() {
      admission.flush();
      forget();
    },
    close() {
      clearInterval(refresher);
      stopForgetting();
      admission.close();
      asked?.close();
      forget();
    },
  };
}
