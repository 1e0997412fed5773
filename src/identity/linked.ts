import type { IdentityRefusal, IdentityTarget, ResolvedIdentity } from '#backends/backend.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import type { ResolveMode } from './resolver.ts';

type TokenRefusal = 'not_linked' | 'link_again' | 'unavailable';

/** Users' own access tokens at linked servers: implemented in `vault/`. */
export interface LinkedTokens {
  token(principal: Principal, server: string): Promise<Result<Secret, TokenRefusal>>;
  /** The server refused that token: another one, refreshed unless somebody just did. */
  rejected(principal: Principal, server: string, token: Secret): Promise<Result<Secret, TokenRefusal>>;
}

export interface LinkedOptions {
  readonly tokens: LinkedTokens;
  /** Remembers scopes for the next link; false where asking again would not help. */
  readonly needsScopes: (principal: Principal, server: string, scopes: readonly string[]) => boolean;
}

const scheme = 'Bearer ';

/**
 * The user's own token at that server, and nothing of ours: no context header, and never the token that the user came
 * with (R38).
 */
export function linked({ tokens, needsScopes }: LinkedOptions): ResolveMode {
  const resolve = async (principal: Principal, target: IdentityTarget) =>
    resolved(principal, target, await tokens.token(principal, target.backend));
  return Object.assign(resolve, {
    async rejected(principal: Principal, target: IdentityTarget, refused: ResolvedIdentity) {
      const token = new Secret((refused.headers.Authorization ?? '').slice(scheme.length));
      return resolved(principal, target, await tokens.rejected(principal, target.backend, token));
    },
    insufficient: (principal: Principal, target: IdentityTarget, scopes: readonly string[]) =>
      needsScopes(principal, target.backend, scopes),
  });
}

function resolved(
  { kind, clientId }: Principal,
  { backend }: IdentityTarget,
  token: Result<Secret, TokenRefusal>,
): Result<ResolvedIdentity, IdentityRefusal> {
  if (token.ok) return ok({ mode: 'linked', headers: { Authorization: `${scheme}${token.value.reveal()}` } });
  switch (token.error) {
    case 'not_linked':
      // Nobody could open the page in its name. (The catalog's own account has no client.)
      if (kind === 'client' && clientId !== undefined) {
        const message = `Calls at ${backend} are made with a person's account there, which a machine has not.`;
        return err({ reason: 'mode_unavailable', message });
      }
      return err({ reason: 'link_required', message: `You have not linked an account at ${backend}.` });
    case 'link_again':
      return err({ reason: 'link_required', message: `Your account at ${backend} must be linked again.` });
    case 'unavailable':
      return err({
        reason: 'identity_unavailable',
        message: `Your account at ${backend} cannot be used right now: its provider does not answer.`,
      });
  }
}
