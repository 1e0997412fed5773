import type {
  IdentityMode,
  IdentityRefusal,
  IdentityResolver,
  IdentityTarget,
  ResolvedIdentity,
} from '#backends/backend.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, type Result } from '#kernel/result.ts';

/** One way to carry an identity to a backend. */
export type ResolveMode = (
  principal: Principal,
  target: IdentityTarget,
) => Result<ResolvedIdentity, IdentityRefusal> | Promise<Result<ResolvedIdentity, IdentityRefusal>>;

/** A mode without an entry is not available, and a call that asks for it is refused. */
export type IdentityModes = Readonly<Partial<Record<IdentityMode, ResolveMode>>>;

/** The one place that decides whose token or assertion goes to which backend, for every method alike. */
export function createIdentityResolver(modes: IdentityModes): IdentityResolver {
  return {
    resolve(principal, target) {
      const resolveMode = modes[target.mode];
      if (resolveMode !== undefined) return resolveMode(principal, target);
      const message = `The identity mode "${target.mode}" of this backend is not available.`;
      return err({ reason: 'mode_unavailable', message });
    },
  };
}
