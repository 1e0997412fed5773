import { withImplied } from '#auth/scope-implications.ts';
import type { Snapshot } from '#catalog/snapshot.ts';
import type { Config } from '#config/config.ts';
import { nearest } from '#config/nearest.ts';
import { UserError } from './errors.ts';

/** The scopes that names stand for, each a plan or else a scope, closed under `scope_implies`. */
export function scopesNamed(names: readonly string[], { plans, auth }: Config): ReadonlySet<string> {
  return withImplied(
    names.flatMap((name) => plans.get(name) ?? [name]),
    auth.scopeImplies,
  );
}

/** The name itself if the configuration has such a plan. */
export function requirePlan(name: string, { plans }: Config): string {
  if (plans.has(name)) return name;
  const close = nearest(name, plans.keys());
  throw new UserError(`no plan is called ${name}`, {
    next: close === undefined ? 'see plans in: cortex check' : `cortex catalog --plan ${close}`,
  });
}

/** Every scope that anything in the catalog needs: what a caller who may do everything holds. */
export function everyScope(snapshot: Snapshot): ReadonlySet<string> {
  const items = [
    ...snapshot.tools.values(),
    ...snapshot.prompts.values(),
    ...snapshot.resources.values(),
    ...snapshot.templates,
  ];
  return new Set(items.flatMap(({ definition }) => definition.scopes));
}
