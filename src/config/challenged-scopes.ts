import type { Config } from './config.ts';

/** What a 401 asks clients to request: the baseline, then the configured scopes or those of all plans; each once. */
export function challengedScopes(config: Pick<Config, 'auth' | 'plans'>): readonly string[] {
  const { baselineScopes, challengeScopes } = config.auth;
  const wanted = challengeScopes === 'plans' ? [...config.plans.values()].flat() : challengeScopes;
  return [...new Set([...baselineScopes, ...wanted])];
}
