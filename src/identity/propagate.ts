import type { IdentityRefusal } from '#backends/backend.ts';
import { isLoopbackUrl } from '#config/network-kinds.ts';
import { contextHeaders } from '#contract/context-headers.ts';
import type { BackendId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
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
  const resolved = new WeakMap<Principal, ReturnType<ResolveMode>>();
  const transportOf = createTransports();

  function resolve(principal: Principal): ReturnType<ResolveMode> {
    const headers = { ...contextHeaders(principal), Authorization: `Bearer ${principal.token.reveal()}` };
    return ok({ mode: 'propagate', headers });
  }

  return (principal, target) => {
    const backend = options.firstParty(target.backend);
    const refusal = refuse(principal, transportOf(target.url), backend, options);
    if (refusal !== undefined) return err(refusal);
    // A principal is the same object for as long as its token is remembered, and never changes.
    let known = resolved.get(principal);
    if (known === undefined) {
      known = resolve(principal);
      resolved.set(principal, known);
    }
    return known;
  };
}

function refuse(
  principal: Principal,
  transport: Transport,
  backend: FirstPartyBackend | undefined,
  options: PropagateOptions,
): IdentityRefusal | undefined {
  if (backend === undefined) return notPropagable('This backend is not declared first-party.');
  if (transport !== 'safe' && !(transport === 'http' && backend.allowHttp)) {
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

/** `safe`: nobody between here and there can read along. */
type Transport = 'safe' | 'http' | 'unknown';

/** Reads addresses, and remembers them: every call to a backend goes to the same one. */
function createTransports(): (address: string) => Transport {
  const known = new Map<string, Transport>();
  return (address) => {
    const before = known.get(address);
    if (before !== undefined) return before;
    const transport = readTransport(address);
    if (known.size >= limits.maxBackends) known.clear();
    known.set(address, transport);
    return transport;
  };
}

function readTransport(address: string): Transport {
  const protocol = URL.parse(address)?.protocol;
  if (protocol === 'https:') return 'safe';
  if (protocol !== 'http:') return 'unknown';
  return isLoopbackUrl(address) ? 'safe' : 'http';
}
