import type { DenyList } from '#auth/deny-list.ts';
import type { IdentityRefusal, IdentityTarget, ResolvedIdentity } from '#backends/backend.ts';
import { contextHeaders } from '#contract/context-headers.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Log } from '#kernel/log.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import type { FetchJson } from '#outbound/fetch-json.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { type ExchangeClient, requestExchange } from './exchange-request.ts';
import { createExchangedTokens } from './exchanged-tokens.ts';
import {
  createFirstPartyGate,
  type FirstPartyBackend,
  type FirstPartyOf,
  notPropagable,
} from './first-party.ts';
import type { ResolveMode } from './resolver.ts';
import { createTokenEndpoints } from './token-endpoints.ts';

export interface ExchangeOptions {
  readonly firstParty: FirstPartyOf;
  /** As whom tokens of this issuer are exchanged. Undefined: they cannot be. */
  readonly client: (issuer: string) => ExchangeClient | undefined;
  /** Those of the caller's own scopes that something of this backend's asks for, or that stand for one. */
  readonly scopesFor: (principal: Principal, backend: BackendId) => readonly string[];
  /** What was made of a token that is denied is forgotten. */
  readonly denyList: Pick<DenyList, 'onDenied'>;
  readonly outbound: Outbound;
  readonly fetchJson: FetchJson;
  readonly clock: Clock;
  readonly log: Log;
}

type Resolved = Result<ResolvedIdentity, IdentityRefusal>;

/**
 * A token that the user's issuer gives out for one backend (RFC 8693), and the context headers. It asks for the caller's
 * scopes that the backend needs and for no others. Each is kept until shortly before it expires; where the issuer gives
 * none, nothing is sent. One that the backend refused is forgotten, and another asked for. A token bound to a key is not
 * exchanged: what came back would be bound to nobody.
 */
export function exchange(options: ExchangeOptions): ResolveMode {
  const { clock, log } = options;
  const gate = createFirstPartyGate(options.firstParty);
  const endpointOf = createTokenEndpoints(options.fetchJson, clock);
  const tokens = createExchangedTokens<Resolved>(clock);
  options.denyList.onDenied((isDenied) => void tokens.forgetDenied(isDenied));

  function keyOf(
    principal: Principal,
    target: IdentityTarget,
    audience: string,
    scopes: readonly string[],
  ): string {
    const token = Bun.SHA256.hash(principal.token.reveal(), 'base64');
    return JSON.stringify([target.backend, audience, token, ...scopes]);
  }

  async function ask(
    client: ExchangeClient,
    principal: Principal,
    target: IdentityTarget,
    { tokenAudience }: FirstPartyBackend,
    scopes: readonly string[],
  ): Promise<{ readonly value: Resolved; readonly lifetimeSeconds: number | undefined }> {
    const { issuer, token } = principal;
    const endpoint = await endpointOf(issuer);
    const made = endpoint.ok
      ? await requestExchange(options.outbound, endpoint.value, client, {
          token,
          audience: tokenAudience,
          scopes,
        })
      : err({ reason: 'unavailable', detail: endpoint.error } as const);
    if (made.ok) {
      const headers = {
        ...contextHeaders(principal, made.value.scopes),
        Authorization: `Bearer ${made.value.token.reveal()}`,
      };
      return {
        value: ok({ mode: 'exchange', headers }),
        lifetimeSeconds: lifetime(made.value.lifetimeSeconds, principal),
      };
    }
    const { reason, detail } = made.error;
    log.warn('identity.exchange_failed', { backend: target.backend, issuer, reason, detail });
    const value =
      reason === 'refused'
        ? refusal('exchange_refused', 'The authorization server gives this caller no token for this backend.')
        : refusal('identity_unavailable', 'The authorization server cannot be asked for a token right now.');
    return { value, lifetimeSeconds: undefined };
  }

  /** Nothing that was made of a token outlives it. */
  function lifetime(seconds: number | undefined, principal: Principal): number | undefined {
    const left = principal.expiresAt - clock.now() / 1_000;
    return seconds === undefined ? undefined : Math.min(seconds, left);
  }

  function resolve(
    principal: Principal,
    target: IdentityTarget,
    refused?: ResolvedIdentity,
  ): Resolved | Promise<Resolved> {
    const backend = gate(target);
    if (!backend.ok) return backend;
    if (principal.tokenKind === 'dpop') return notPropagable('A token bound to a key cannot be exchanged.');
    const client = options.client(principal.issuer);
    if (client === undefined) {
      return refusal('mode_unavailable', 'Tokens of this issuer cannot be exchanged for this backend.');
    }
    const scopes = options.scopesFor(principal, target.backend);
    if (scopes.length === 0) {
      return refusal('exchange_refused', 'The token holds no scope that this backend asks for.');
    }
    const key = keyOf(principal, target, backend.value.tokenAudience, scopes);
    if (refused !== undefined) tokens.forget(key, (kept) => kept.ok && kept.value === refused);
    return tokens.get(key, principal, () => ask(client, principal, target, backend.value, scopes));
  }

  return Object.assign((principal: Principal, target: IdentityTarget) => resolve(principal, target), {
    rejected: async (principal: Principal, target: IdentityTarget, refused: ResolvedIdentity) =>
      resolve(principal, target, refused),
  });
}

function refusal(reason: IdentityRefusal['reason'], message: string): Result<never, IdentityRefusal> {
  return err({ reason, message });
}
