import type { IdentityRefusal, IdentityTarget } from '#backends/backend.ts';
import { isLoopbackUrl } from '#config/network-kinds.ts';
import type { BackendId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import { err, ok, type Result } from '#kernel/result.ts';

/** What the operator declared about a first-party backend. */
export interface FirstPartyBackend {
  /** Plain http to a host that is not loopback. */
  readonly allowHttp: boolean;
  /** A propagated token must carry one of these. Undefined: one by which the gateway itself accepts the token. */
  readonly audience: readonly string[] | undefined;
  /** The audience of tokens made for this backend alone. */
  readonly tokenAudience: string;
}

/** Undefined: not declared first-party, so nothing that says who a user is ever goes there. */
export type FirstPartyOf = (backend: BackendId) => FirstPartyBackend | undefined;

/**
 * Makes the gate before anything that names a user: the backend is declared, and reached so that nobody between here
 * and there reads along, unless the operator allowed it.
 */
export function createFirstPartyGate(
  firstParty: FirstPartyOf,
): (target: IdentityTarget) => Result<FirstPartyBackend, IdentityRefusal> {
  const transportOf = createTransports();
  return (target) => {
    const backend = firstParty(target.backend);
    if (backend === undefined) return notPropagable('This backend is not declared first-party.');
    if (!isReadBy(transportOf(target.url), backend.allowHttp)) return ok(backend);
    return notPropagable('This backend is not reached over https.');
  };
}

export function notPropagable(message: string): Result<never, IdentityRefusal> {
  return err({ reason: 'token_not_propagable', message });
}

/** Whether somebody whom the operator did not reckon with could read what goes this way. */
export function isReadBy(transport: Transport, allowHttp: boolean): boolean {
  return transport !== 'safe' && !(transport === 'http' && allowHttp);
}

/** `safe`: nobody between here and there can read along. */
export type Transport = 'safe' | 'http' | 'unknown';

/** Reads addresses, and remembers them: every call to a backend goes to the same one. */
export function createTransports(): (address: string) => Transport {
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
