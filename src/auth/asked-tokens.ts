import type { Clock } from '#kernel/clock.ts';
import type { JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { FeedHealth } from './feed-health.ts';
import type { Introspection } from './introspection.ts';
import type { IntrospectionOptions } from './options.ts';
import { type AuthRefusal, refusal } from './refusal.ts';

/** An issuer that is asked about tokens. */
export interface AskedIssuer {
  readonly issuer: string;
  readonly options: IntrospectionOptions;
  readonly introspection: Introspection;
  /** Whose an opaque token is, by what its issuer says of it. */
  principalOf(answer: JsonObject, token: string): Result<Principal, AuthRefusal>;
}

type Outcome = Result<Principal, AuthRefusal>;

/** What issuers said about tokens, for as long as each lets it count. */
export interface AskedTokens {
  /** Whether a token that is in use is to be asked about at this moment; not while many new ones are. */
  concerns(principal: Principal): boolean;
  /** A token that was verified here: its issuer's word on it as well, where that is asked for at this moment. */
  confirm(principal: Principal, key: string): Outcome | Promise<Outcome>;
  /** One that only an issuer understands. Asked in the order of the configuration: the first that knows it counts. */
  identify(token: string, key: string): Promise<Outcome>;
  /** What `identify` said, while it counts. */
  known(key: string): Outcome | undefined;
  clear(): void;
  close(): void;
}

/** Undefined where no issuer is asked about anything. */
export function createAskedTokens(deps: {
  readonly issuers: readonly AskedIssuer[];
  readonly feedHealth: FeedHealth | undefined;
  readonly clock: Clock;
}): AskedTokens | undefined {
  const { issuers, feedHealth, clock } = deps;
  if (issuers.length === 0) return undefined;
  const byUrl = new Map(issuers.map((issuer) => [issuer.issuer, issuer]));
  const half = limits.maxVerifiedTokens / 2;
  const shortestMs = Math.min(...issuers.map(({ options }) => options.cacheMs));
  let newer = new Map<string, { readonly outcome: Outcome; readonly until: number }>();
  let older: typeof newer = new Map();
  let generation = 0;

  function known(key: string): Outcome | undefined {
    const entry = newer.get(key) ?? older.get(key);
    return entry !== undefined && clock.monotonic() < entry.until ? entry.outcome : undefined;
  }

  /** That an issuer was silent is not kept: the next request asks again. */
  function keep(key: string, outcome: Outcome, cacheMs: number, startedIn: number): Outcome {
    if (startedIn !== generation) return outcome;
    if (!outcome.ok && outcome.error.reason === 'introspection_unavailable') return outcome;
    if (newer.size >= half) {
      older = newer;
      newer = new Map();
    }
    const leftMs = outcome.ok ? outcome.value.expiresAt * 1_000 - clock.now() : cacheMs;
    newer.set(key, { outcome, until: clock.monotonic() + Math.min(cacheMs, leftMs) });
    return outcome;
  }

  async function ask(asked: AskedIssuer, principal: Principal, key: string): Promise<Outcome> {
    const startedIn = generation;
    const answer = await asked.introspection.ask(principal.token.reveal(), key);
    const of = (why: AuthRefusal) => err({ ...why, issuer: asked.issuer });
    if (!answer.ok) return of(refusal(answer.error));
    const outcome = answer.value === undefined ? of(refusal('token_inactive')) : ok(principal);
    return keep(key, outcome, asked.options.cacheMs, startedIn);
  }

  function isAskedAboutJwts({ options, issuer }: AskedIssuer): boolean {
    return options.mode === 'always' || feedHealth?.isLost(issuer) === true;
  }

  return {
    known,
    concerns({ tokenKind, issuer }) {
      const asked = byUrl.get(issuer);
      if (asked === undefined || asked.introspection.isBusy) return false;
      // A bound token may be an opaque one.
      return tokenKind !== 'jwt' || isAskedAboutJwts(asked);
    },
    confirm(principal, key) {
      const asked = byUrl.get(principal.issuer);
      if (asked === undefined || !isAskedAboutJwts(asked)) return ok(principal);
      return known(key) ?? ask(asked, principal, key);
    },
    async identify(token, key) {
      const startedIn = generation;
      let silent: string | undefined;
      for (const { issuer, introspection, options, principalOf } of issuers) {
        const answer = await introspection.ask(token, key);
        if (!answer.ok) silent ??= issuer;
        if (!answer.ok || answer.value === undefined) continue;
        return keep(key, principalOf(answer.value, token), options.cacheMs, startedIn);
      }
      if (silent !== undefined) return err({ ...refusal('introspection_unavailable'), issuer: silent });
      return keep(key, err(refusal('token_inactive')), shortestMs, startedIn);
    },
    clear() {
      generation += 1;
      newer = new Map();
      older = new Map();
    },
    close() {
      for (const { introspection } of issuers) introspection.close();
    },
  };
}

/** Whether a text could be an access token at all (RFC 6750 section 2.1): no other is handed to an issuer. */
export function isOpaqueToken(text: string): boolean {
  return /^[A-Za-z0-9._~+/-]+=*$/.test(text);
}
