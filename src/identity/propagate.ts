import type { IdentityRefusal } from '#backends/backend.ts';
import { contextHeaders } from '#contract/context-headers.ts';
import type { Principal } from '#kernel/principal.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import {
  createFirstPartyGate,
  type FirstPartyBackend,
  type FirstPartyOf,
  notPropagable,
} from './first-party.ts';
import type { ResolveMode } from './resolver.ts';

export interface PropagateOptions {
  readonly firstParty: FirstPartyOf;
  /** Whether a token of this issuer with these audiences is meant for the gateway itself. */
  readonly isForGateway: (issuer: string, audiences: readonly string[]) => boolean;
}

/**
 * The user's own token, unchanged, and the context headers (R38). Audiences are compared byte for byte. The token itself
 * was verified before; signature and expiry are not looked at again.
 */
export function propagate(options: PropagateOptions): ResolveMode {
  const resolved = new WeakMap<Principal, ReturnType<ResolveMode>>();
  const gate = createFirstPartyGate(options.firstParty);

  function resolve(principal: Principal): ReturnType<ResolveMode> {
    const headers = { ...contextHeaders(principal), Authorization: `Bearer ${principal.token.reveal()}` };
    return ok({ mode: 'propagate', headers });
  }

  return (principal, target) => {
    const backend = gate(target);
    const refusal = backend.ok ? refuse(principal, backend.value, options) : backend;
    if (!refusal.ok) return refusal;
    // A principal is the same object for as long as its token is remembered, and never changes.
    let known = resolved.get(principal);
    if (known === undefined) {
      known = resolve(principal);
      resolved.set(principal, known);
    }
    return known;
  };
}

const propagable = ok(undefined);

function refuse(
  principal: Principal,
  backend: FirstPartyBackend,
  options: PropagateOptions,
): Result<undefined, IdentityRefusal> {
  if (principal.tokenKind === 'dpop') return notPropagable('A token bound to a key cannot be passed on.');
  if (principal.tokenKind === 'opaque') return notPropagable('An opaque token cannot be passed on.');
  const isForBackend =
    backend.audience?.some((audience) => principal.audience.includes(audience)) ??
    options.isForGateway(principal.issuer, principal.audience);
  if (isForBackend) return propagable;
  return err({ reason: 'audience_mismatch', message: 'The token is not meant for this backend.' });
}
