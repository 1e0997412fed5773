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
export interface ResolveMode {
  (
    principal: Principal,
    target: IdentityTarget,
  ): Result<ResolvedIdentity, IdentityRefusal> | Promise<Result<ResolvedIdentity, IdentityRefusal>>;
  /** What becomes of headers that were answered 401. Absent: there are no others. */
  readonly rejected?: NonNullable<IdentityResolver['rejected']>;
  readonly insufficient?: NonNullable<IdentityResolver['insufficient']>;
}

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
    async rejected(principal, target, refused) {
      const again = modes[target.mode]?.rejected;
      if (again !== undefined) return again(principal, target, refused);
      return err({ reason: 'identity_unavailable', message: 'The server refuses what it was given.' });
    },
    insufficient: (principal, target, scopes) =>
      modes[target.mode]?.insufficient?.(principal, target, scopes) ?? false,
  };
}
