import { type AudienceRule, audienceRule } from '#auth/audience.ts';
import { type Authenticator, createAuthenticator } from '#auth/authenticate.ts';
import { type Challenge, createChallenge } from '#auth/challenge.ts';
import type { DenyList } from '#auth/deny-list.ts';
import type { Dpop } from '#auth/dpop.ts';
import type { FeedHealth } from '#auth/feed-health.ts';
import { dpopPolicyOf } from '#auth/protected-resource.ts';
import type { AssembleRules } from '#catalog/assemble.ts';
import type { Config } from '#config/config.ts';
import { allowanceOf, assembleRulesOf, authOptionsOf, edgeSettingsOf, isSameAuth } from '#gateway-options.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Log } from '#kernel/log.ts';
import type { AllowanceSettings } from '#mcp/allowance.ts';
import type { EdgeSettings } from '#mcp/deps.ts';
import type { FetchJson } from '#outbound/fetch-json.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { Doors } from '#server/app.ts';
import { createClientAddress } from '#server/client-address.ts';
import { createHeaderGate } from '#server/header-gate.ts';
import { createHostGate } from '#server/host-gate.ts';
import { createOriginGate } from '#server/origin-gate.ts';

/** What the configuration alone decides; replaced whole by a reload. */
export interface Settled {
  readonly config: Config;
  /** By issuer. */
  readonly audienceRules: ReadonlyMap<string, AudienceRule>;
  readonly authenticator: Authenticator;
  readonly challenge: Challenge;
  readonly doors: Doors;
  readonly allowance: AllowanceSettings;
  readonly edge: EdgeSettings;
  readonly rules: AssembleRules;
}

export interface SettleDeps {
  readonly fetchJson: FetchJson;
  readonly denyList: Pick<DenyList, 'denies' | 'onDenied' | 'sawToken'>;
  readonly outbound: Outbound;
  /** With the memory of the proofs that were used: a reload must not forget them. */
  readonly dpop: Dpop;
  readonly feedHealth: FeedHealth;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly isDev: boolean;
  /** Polling goes on as it was begun, and lists say how fresh they really are. */
  readonly pollIntervalMs: number;
}

/** Makes it anew, but for what nothing about `next` changed. */
export function settle(next: Config, before: Settled | undefined, deps: SettleDeps): Settled {
  const { fetchJson, outbound, denyList, dpop, feedHealth, clock, log } = deps;
  const options = authOptionsOf(next);
  // With the authenticator go the issuers' keys and every verified token.
  const kept = before && isSameAuth(authOptionsOf(before.config), options) ? before.authenticator : undefined;
  return {
    config: next,
    audienceRules: new Map(
      next.auth.issuers.map(({ url, audience }) => [url, audienceRule(next.gateway.url, audience)]),
    ),
    authenticator:
      kept ?? createAuthenticator({ options, fetchJson, outbound, denyList, dpop, feedHealth, clock, log }),
    challenge: createChallenge(options, { policy: dpopPolicyOf(options.issuers), nonce: dpop.nonce }),
    doors: {
      isOurHost: createHostGate(next.gateway.url, next.gateway.listen.host),
      isAllowedOrigin: createOriginGate(next.gateway.url, next.gateway.origins),
      clientAddress: createClientAddress(next.gateway.trustedProxies),
      areHeadersAllowed: createHeaderGate(next.limits.maxHeaderValueBytes, deps.isDev),
    },
    allowance: allowanceOf(next),
    rules: assembleRulesOf(next),
    edge: { ...edgeSettingsOf(next, deps.version), listTtlMs: deps.pollIntervalMs },
  };
}
