import { err, ok, type Result } from '#kernel/result.ts';

/** Asked for by habit by OpenID clients; they mean nothing here and are dropped. */
const protocolScopes = new Set(['openid', 'profile', 'email', 'offline_access']);

export interface ScopeRules {
  /** Every scope there is, in the order of the options. */
  readonly known: readonly string[];
  readonly plans: readonly string[];
  readonly firstPlan: string;
  describe(scope: string): string;
  /**
   * The scopes a client may be given at all: unknown ones are left out; naming none means all. Refused only where
   * it named some and not one exists.
   */
  requested(scope: string | undefined): Result<readonly string[], 'invalid_scope'>;
  /** What of `consented` the plan allows today: applied at every token, so that a plan can change. */
  allowed(consented: readonly string[], plan: string): readonly string[];
}

export function createScopeRules(
  scopes: Readonly<Record<string, string>>,
  plans: Readonly<Record<string, readonly string[]>>,
): ScopeRules {
  const known = Object.keys(scopes);
  const planNames = Object.keys(plans);
  const firstPlan = planNames[0];
  if (firstPlan === undefined) throw new Error('The authorization server needs at least one plan.');
  for (const [plan, members] of Object.entries(plans))
    for (const scope of members)
      if (!known.includes(scope))
        throw new Error(`The plan ${plan} names the scope ${scope}, which is not described.`);

  return {
    known,
    plans: planNames,
    firstPlan,
    describe: (scope) => scopes[scope] ?? scope,
    requested(scope) {
      const asked = (scope ?? '').split(' ').filter((name) => name !== '' && !protocolScopes.has(name));
      if (asked.length === 0) return ok(known);
      const found = known.filter((name) => asked.includes(name));
      return found.length === 0 ? err('invalid_scope') : ok(found);
    },
    allowed(consented, plan) {
      const members = plans[plan] ?? [];
      return consented.filter((scope) => members.includes(scope));
    },
  };
}
