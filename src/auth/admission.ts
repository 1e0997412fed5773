import type { Clock } from '#kernel/clock.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import { holdsAll, type Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { acceptClaims } from './accept-claims.ts';
import type { FetchJson } from './discovery.ts';
import { claimsOfOpaque } from './introspection-answer.ts';
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.ts';
import { type IssuerRules, introspectionRulesOf, issuerRulesOf } from './issuer-rules.ts';
import { mapClaims } from './map-claims.ts';
import type { AuthOptions, DpopPolicy, IssuerOptions } from './options.ts';
import { acceptHeader, peekToken, quote } from './peek-token.ts';
import { type AuthRefusal, refusal } from './refusal.ts';
import { bindingOf } from './token-binding.ts';
import { type VerifiedClaims, verifyToken } from './verify-token.ts';

type Admitted = Result<Principal, AuthRefusal>;

/** The gates for a token seen for the first time. Remembers keys, but no token. */
export interface Admission {
  /** A JWT, verified with its issuer's keys. */
  admit(token: string): Promise<Admitted>;
  /** An opaque token, by what its issuer says of it. */
  admitOpaque(issuer: string, answer: JsonObject, token: string): Admitted;
  /** Fetches the keys in use again. */
  refresh(): void;
  /** Forgets every key. */
  flush(): void;
  close(): void;
}

export interface AdmissionDeps {
  readonly options: AuthOptions;
  readonly fetchJson: FetchJson;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when an issuer has other keys: what the old ones verified is to be verified again. */
  readonly onKeysChanged: () => void;
}

interface Issuer extends IssuerRules {
  /** The rules for what it says of a token when it is asked. */
  readonly whenAsked: IssuerRules;
  readonly dpop: DpopPolicy;
  readonly keys: IssuerKeys;
}

export function createAdmission(deps: AdmissionDeps): Admission {
  const { options, clock, log } = deps;
  const all = options.issuers.map(createIssuer);
  const issuers = bySpelling(all);

  function createIssuer(issuer: IssuerOptions): Issuer {
    return {
      ...issuerRulesOf(issuer, options.canonicalUrl),
      whenAsked: introspectionRulesOf(issuer, options.canonicalUrl),
      dpop: issuer.dpop ?? 'allow',
      keys: createIssuerKeys({
        issuer: issuer.url,
        jwksUri: issuer.jwksUri,
        fetchJson: deps.fetchJson,
        clock,
        log,
        onKeysChanged: deps.onKeysChanged,
      }),
    };
  }

  /** In their order; each gate names its own reason. */
  async function verifiedClaims(
    token: string,
    said: Readonly<Record<string, unknown>>,
    issuer: Issuer,
  ): Promise<Result<VerifiedClaims, AuthRefusal>> {
    const header = acceptHeader(said, issuer.algorithms, issuer.preset.isTyped);
    if (!header.ok) return header;
    const keys = await issuer.keys.candidates(header.value);
    if (!keys.ok) return err(refusal(keys.error, `kid ${quote(header.value.kid)}`));
    return verifyToken(token, header.value, keys.value, issuer, clock.now());
  }

  /** The gates for claims that can be believed, whichever way they came. */
  function principalOf(
    claims: VerifiedClaims,
    token: string,
    issuer: Issuer,
    tokenKind: 'jwt' | 'opaque',
  ): Admitted {
    const rules = tokenKind === 'jwt' ? issuer : issuer.whenAsked;
    const unacceptable = acceptClaims(claims.payload, rules);
    if (unacceptable !== undefined) return err(unacceptable);
    const binding = bindingOf(claims.payload.cnf, issuer.dpop);
    if (!binding.ok) return binding;
    const principal = mapClaims(claims, token, rules, options);
    if (!principal.ok) return principal;
    const { pool, scopes } = principal.value;
    if (!isOfRequiredPool(pool)) return err(refusal('pool_refused'));
    if (!holdsBaseline(scopes)) return err(refusal('scope_missing'));
    const boundTo = binding.value;
    return ok({ ...principal.value, tokenKind: boundTo === undefined ? tokenKind : 'dpop', boundTo });
  }

  function isOfRequiredPool(pool: string | undefined): boolean {
    return options.requiredPool === undefined || pool === options.requiredPool;
  }

  function holdsBaseline(scopes: ReadonlySet<string>): boolean {
    return options.baselineScopes.length === 0 || holdsAll(scopes, options.baselineScopes);
  }

  return {
    async admit(token) {
      const peeked = peekToken(token);
      if (!peeked.ok) return peeked;
      const issuer = issuers.get(peeked.value.issuer ?? '');
      if (issuer === undefined) return err(refusal('issuer_unknown', `iss ${quote(peeked.value.issuer)}`));
      const claims = await verifiedClaims(token, peeked.value.header, issuer);
      return from(issuer, claims.ok ? principalOf(claims.value, token, issuer, 'jwt') : claims);
    },
    admitOpaque(url, answer, token) {
      const issuer = issuers.get(url);
      if (issuer === undefined) return err(refusal('issuer_unknown'));
      const claims = claimsOfOpaque(answer, issuer, clock.now());
      return from(issuer, claims.ok ? principalOf(claims.value, token, issuer, 'opaque') : claims);
    },
    refresh() {
      for (const { keys } of all) void keys.refresh();
    },
    flush() {
      for (const { keys } of all) keys.flush();
    },
    close() {
      for (const { keys } of all) keys.close();
    },
  };
}

/** A refusal once the token named a configured issuer. */
function from({ issuer }: Issuer, admitted: Admitted): Admitted {
  return admitted.ok ? admitted : err({ ...admitted.error, issuer });
}

/** What is configured word for word comes before what a preset reads into another. */
function bySpelling(issuers: readonly Issuer[]): ReadonlyMap<string, Issuer> {
  const named = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  const spelled = issuers.flatMap((issuer) => issuer.spellings.map((text) => [text, issuer] as const));
  return new Map([...spelled, ...named]);
}
