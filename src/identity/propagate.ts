import type { IdentityRefusal, IdentityTarget } from '#backends/backend.ts';
import { isLoopbackUrl } from '#config/network-kinds.ts';
import { contextHeaders } from '#contract/context-headers.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok } from '#kernel/result.ts';
import type { ResolveMode } from './resolver.ts';

/** What the operator declared about a first-party backend. */
export interface FirstPartyBackend {
  /** Plain http to a host that is not loopback. */
  readonly allowHttp: boolean;
  /** A token must carry one of these. Undefined: one by which the gateway itself accepts the token. */
  readonly audience: readonly string[] | undefined;
}

export interface PropagateOptions {
  /** Undefined: not declared first-party, so no user's token ever goes there. */
  readonly firstParty: (backend: BackendId) => FirstPartyBackend | undefined;
  /** Whether a token of this issuer with these audiences is meant for the gateway itself. */
  readonly isForGateway: (issuer: string, audiences: readonly string[]) => boolean;
}

/**
 * The user's own token, unchanged, and the context headers (R38). Audiences are compared byte for byte. The token itself
 * was verified before; signature and expiry are not looked at again.
 */
export function propagate(options: PropagateOptions): ResolveMode {
  return (principal, target) => {
    const backend = options.firstParty(target.backend);
    const refusal = refuse(principal, target, backend, options);
    if (refusal !== undefined) return err(refusal);
    const headers = { ...contextHeaders(principal), Authorization: `Bearer ${principal.token.reveal()}` };
    return ok({ mode: 'propagate', headers });
  };
}

function refuse(
  principal: Principal,
  target: IdentityTarget,
  backend: FirstPartyBackend | undefined,
  options: PropagateOptions,
): IdentityRefusal | undefined {
  if (backend === undefined) return notPropagable('This backend is not declared first-party.');
  if (!isAddressAllowed(target.url, backend.allowHttp)) {
    return notPropagable('This backend is not reached over https.');
  }
  if (principal.tokenKind === 'dpop') return notPropagable('A token bound to a key cannot be passed on.');
  if (principal.tokenKind === 'opaque') return notPropagable('An opaque token cannot be passed on.');
  const isForBackend =
    backend.audience?.some((audience) => principal.audience.includes(audience)) ??
    options.isForGateway(principal.issuer, principal.audience);
  if (isForBackend) return undefined;
  return { reason: 'audience_mismatch', message: 'The token is not meant for this backend.' };
}

function notPropagable(message: string): IdentityRefusal {
  return { reason: 'token_not_propagable', message };
}

function isAddressAllowed(address: string, allowHttp: boolean): boolean {
  const url = URL.parse(address);
  if (url === null) return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && (allowHttp || isLoopbackUrl(address));
}
