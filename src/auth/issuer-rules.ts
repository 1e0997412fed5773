import { limits } from '#kernel/limits.ts';
import type { AcceptRules } from './accept-claims.ts';
import { audienceRule } from './audience.ts';
import { claimPathsOf } from './claim-paths.ts';
import type { ClaimRules } from './map-claims.ts';
import { defaultAlgorithms, type IssuerOptions } from './options.ts';
import { presets } from './presets/table.ts';
import type { VerifyRules } from './verify-token.ts';

/** Everything that decides about one issuer's tokens, but for its keys. */
export interface IssuerRules extends ClaimRules, AcceptRules, VerifyRules {
  readonly issuer: string;
  readonly algorithms: readonly string[];
}

/** An issuer's options with its preset and the defaults filled in. */
export function issuerRulesOf(issuer: IssuerOptions, canonicalUrl: string): IssuerRules {
  const preset = presets[issuer.preset ?? 'generic'];
  return {
    issuer: issuer.url,
    spellings: preset.spellings(issuer.url),
    algorithms: issuer.algorithms ?? defaultAlgorithms,
    preset,
    paths: claimPathsOf(issuer),
    isForUs: audienceRule(canonicalUrl, issuer.audience),
    clients: issuer.clients && new Set(issuer.clients),
    scopesCeiling: issuer.scopesCeiling && new Set(issuer.scopesCeiling),
    roleScopes: issuer.roleScopes ?? new Map(),
    maxTokenAgeSeconds: issuer.maxTokenAgeSeconds ?? limits.maxTokenAgeSeconds,
  };
}

/**
 * As {@link issuerRulesOf}, for what an issuer says of a token when it is asked: RFC 7662 has names of its own for
 * client and scopes, and only it knows what kind of token it was asked about.
 */
export function introspectionRulesOf(issuer: IssuerOptions, canonicalUrl: string): IssuerRules {
  const rules = issuerRulesOf(issuer, canonicalUrl);
  const { client, scopes } = rules.paths;
  return {
    ...rules,
    preset: { ...rules.preset, isAccessToken: () => true },
    paths: {
      ...rules.paths,
      client: issuer.claims?.client ?? [...client, 'client_id'],
      scopes: issuer.claims?.scopes ?? [...scopes, 'scope'],
    },
  };
}
