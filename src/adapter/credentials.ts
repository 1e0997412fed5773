import type {
  BackendFailure,
  IdentityResolver,
  IdentityTarget,
  ResolvedIdentity,
} from '#backends/backend.ts';
import { failure, identityFailure } from '#backends/failures.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** Whose account a wire uses: asked anew for each request, so that no token outlives its refresh or its link. */
export interface Credentials {
  resolve(): Promise<Result<ResolvedIdentity, BackendFailure>>;
  /** After a 401: other headers to try once more, or what the call answers. */
  rejected(refused: ResolvedIdentity): Promise<Result<ResolvedIdentity, BackendFailure>>;
  /** After a 403 that names scopes: remembers them for the next link; what the call answers. */
  insufficient(scopes: readonly string[]): BackendFailure;
}

export function createCredentials(
  principal: Principal,
  target: IdentityTarget,
  identity: IdentityResolver,
): Credentials {
  const isLinked = target.mode === 'linked';
  return {
    async resolve() {
      const resolved = await identity.resolve(principal, target);
      return resolved.ok ? resolved : err(identityFailure(resolved.error));
    },
    async rejected(refused) {
      if (!isLinked) return err(failure('token_refused', { status: 401 }));
      const other = await identity.rejected?.(principal, target, refused);
      if (other === undefined) return err(failure('link_required', { status: 401 }));
      return other.ok ? ok(other.value) : err(identityFailure(other.error));
    },
    insufficient(scopes) {
      if (!isLinked) return failure('denied', { status: 403, message: 'The server asks for more rights.' });
      const mightHelp = identity.insufficient?.(principal, target, scopes) ?? true;
      if (!mightHelp) {
        const message = 'The server keeps asking for more rights than your account there was given.';
        return failure('denied', { status: 403, message });
      }
      return failure('link_required', {
        status: 403,
        message: 'This needs more rights at the server than your account was linked with; link it again.',
        requiredScopes: undefined,
      });
    },
  };
}

/** Stands for nobody, where a server is asked for what everyone shares: holds no scope and no token that means anything. */
export function catalogPrincipal(
  owner: {
    readonly issuer: string;
    readonly subject: string;
    readonly key: string;
  },
  token: Principal['token'],
): Principal {
  return {
    kind: 'client',
    issuer: owner.issuer,
    subject: owner.subject,
    key: owner.key,
    clientId: undefined,
    tokenScopes: [],
    scopes: new Set(),
    scopeKey: '',
    plan: undefined,
    email: undefined,
    role: undefined,
    pool: undefined,
    tokenId: undefined,
    sessionId: undefined,
    grantId: undefined,
    audience: [],
    issuedAt: 0,
    expiresAt: 0,
    token,
    tokenKind: 'opaque',
  };
}
