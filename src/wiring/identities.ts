import type { DenyList } from '#auth/deny-list.ts';
import { withImplied } from '#auth/scope-implications.ts';
import type { IdentityResolver } from '#backends/backend.ts';
import { createNamedScopes } from '#catalog/named-scopes.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import { staticCredentialOf } from '#gateway-options.ts';
import { assert } from '#identity/assert.ts';
import { exchange } from '#identity/exchange.ts';
import { none } from '#identity/none.ts';
import { propagate } from '#identity/propagate.ts';
import { refuseDenied } from '#identity/refuse-denied.ts';
import { createIdentityResolver, type ResolveMode } from '#identity/resolver.ts';
import { staticToken } from '#identity/static.ts';
import type { Clock } from '#kernel/clock.ts';
import { randomId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import { createEs256Signer, type Es256Signer } from '#keys/es256-signer.ts';
import type { KeyRing } from '#keys/key-ring.ts';
import type { FetchJson } from '#outbound/fetch-json.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { Settled } from './settled.ts';

export interface IdentitiesDeps {
  readonly current: () => Settled;
  readonly snapshot: () => Snapshot;
  /** Users' own accounts at servers. */
  readonly linked: ResolveMode;
  readonly assertionKeys: KeyRing;
  readonly outbound: Outbound;
  readonly fetchJson: FetchJson;
  readonly denyList: Pick<DenyList, 'denies' | 'onDenied'>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Identities {
  readonly resolver: IdentityResolver;
  /** The key set that assertions are verified with. */
  readonly keySet: () => JsonObject;
}

/** Every identity mode, as the configuration of the moment declares backends and servers. */
export function createIdentities(deps: IdentitiesDeps): Identities {
  const { denyList, outbound, fetchJson, clock, log } = deps;
  const config = () => deps.current().config;
  const firstParty = (id: Parameters<typeof namedScopes>[0]) => config().backends.get(id);
  const namedScopes = createNamedScopes(deps.snapshot);
  // Making the keys takes a millisecond: not before somebody needs them.
  let made: Es256Signer | undefined;
  const signer = () => {
    made ??= createEs256Signer(deps.assertionKeys);
    return made;
  };

  const resolver = createIdentityResolver({
    propagate: propagate({
      firstParty,
      isForGateway: (issuer, audiences) => deps.current().audienceRules.get(issuer)?.(audiences) ?? false,
    }),
    assert: assert({
      firstParty,
      issuer: () => new URL(config().gateway.url).origin,
      scopesOf: namedScopes,
      signer,
      clock,
      randomId,
    }),
    exchange: exchange({
      firstParty,
      client: (issuer) => config().auth.issuers.find(({ url }) => url === issuer)?.exchange,
      scopesFor(principal, backend) {
        const named = namedScopes(backend);
        const implies = config().auth.scopeImplies;
        return principal.tokenScopes.filter((scope) =>
          [...withImplied([scope], implies)].some((implied) => named.has(implied)),
        );
      },
      denyList,
      outbound,
      fetchJson,
      clock,
      log,
    }),
    static: staticToken((id) => staticCredentialOf(config(), id)),
    linked: deps.linked,
    none: none(),
  });
  return {
    resolver: refuseDenied(resolver, denyList),
    keySet: () => ({ keys: signer().publicKeys.map((key) => ({ ...key })) }),
  };
}
