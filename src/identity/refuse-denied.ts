import type { DenyList } from '#auth/deny-list.ts';
import type { IdentityRefusal, IdentityResolver, ResolvedIdentity } from '#backends/backend.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, type Result } from '#kernel/result.ts';

type Resolved = Result<ResolvedIdentity, IdentityRefusal>;

/**
 * The last gate before anything is sent in somebody's name: nothing for whom the deny-list names, also where the denial
 * came while a token was being exchanged or refreshed.
 */
export function refuseDenied(
  identities: IdentityResolver,
  denyList: Pick<DenyList, 'denies'>,
): IdentityResolver {
  const isDenied = (principal: Principal) => denyList.denies(principal) !== undefined;

  function unlessDenied(principal: Principal, resolved: Resolved | Promise<Resolved>) {
    if (!(resolved instanceof Promise)) return resolved;
    return resolved.then((made) => (isDenied(principal) ? refused : made));
  }

  return {
    resolve: (principal, target) =>
      isDenied(principal) ? refused : unlessDenied(principal, identities.resolve(principal, target)),
    async rejected(principal, target, headers) {
      if (isDenied(principal) || identities.rejected === undefined) return refused;
      return unlessDenied(principal, identities.rejected(principal, target, headers));
    },
    insufficient: identities.insufficient,
  };
}

const refused: Resolved = err({
  reason: 'identity_unavailable',
  message: 'The access token of this caller was revoked.',
});
