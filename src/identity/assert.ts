import { contextHeaders } from '#contract/context-headers.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Principal } from '#kernel/principal.ts';
import { ok } from '#kernel/result.ts';
import type { Es256Signer } from '#keys/es256-signer.ts';
import { createFirstPartyGate, type FirstPartyOf } from './first-party.ts';
import type { ResolveMode } from './resolver.ts';

export interface AssertOptions {
  readonly firstParty: FirstPartyOf;
  /** The origin of the gateway's public URL; its keys are at `<issuer>/.well-known/jwks.json`. */
  readonly issuer: () => string;
  /** Every scope that something of this backend's asks for. */
  readonly scopesOf: (backend: BackendId) => ReadonlySet<string>;
  readonly signer: () => Es256Signer;
  readonly clock: Clock;
  readonly randomId: () => string;
}

export const assertionLifetimeSeconds = 60;

/**
 * A token of the gateway's own that says who calls, good at one backend for 60 s (RFC 9068's shape; the subject with its
 * issuer as RFC 9493 spells it), and the context headers. It holds the caller's scopes that the backend asks for, implied
 * ones included, and no others. The user's own token stays here, whatever its kind.
 */
export function assert(options: AssertOptions): ResolveMode {
  const { clock } = options;
  const gate = createFirstPartyGate(options.firstParty);

  return (principal, target) => {
    const backend = gate(target);
    if (!backend.ok) return backend;
    const asked = options.scopesOf(target.backend);
    const scopes = [...principal.scopes].filter((scope) => asked.has(scope)).sort();
    const now = Math.floor(clock.now() / 1_000);
    const token = options.signer().sign('at+jwt', {
      iss: options.issuer(),
      aud: backend.value.tokenAudience,
      ...whoIs(principal),
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      iat: now,
      // Nothing that was made of a token outlives it.
      exp: Math.min(now + assertionLifetimeSeconds, principal.expiresAt),
      jti: options.randomId(),
    });
    const headers = { ...contextHeaders(principal, scopes), Authorization: `Bearer ${token}` };
    return ok({ mode: 'assert', headers });
  };
}

/** Undefined members are no members of the JSON. */
function whoIs(principal: Principal) {
  const { issuer, subject, clientId, email, role, pool } = principal;
  return {
    sub: subject,
    sub_id: { format: 'iss_sub', iss: issuer, sub: subject },
    client_id: clientId,
    act: clientId === undefined ? undefined : { iss: issuer, sub: clientId },
    email,
    role,
    pool,
  };
}
