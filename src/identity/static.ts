import type { BackendId } from '#kernel/ids.ts';
import { err, ok } from '#kernel/result.ts';
import type { Secret } from '#kernel/secret.ts';
import { createTransports, isReadBy } from './first-party.ts';
import type { ResolveMode } from './resolver.ts';

/** What the operator gave a server to act with. */
export interface StaticCredential {
  /** Undefined: a command, whose environment holds what it acts with. */
  readonly token: Secret | undefined;
  /** Plain http to a host that is not loopback. */
  readonly allowHttp: boolean;
}

/**
 * The operator's secret, the same for every caller, and nothing about who calls. `credential` gives undefined for what is
 * not declared to act with one.
 */
export function staticToken(credential: (server: BackendId) => StaticCredential | undefined): ResolveMode {
  const transportOf = createTransports();
  return (_principal, target) => {
    const found = credential(target.backend);
    if (found === undefined) {
      return err({ reason: 'mode_unavailable', message: 'This server has no credential.' });
    }
    if (found.token === undefined) return ok({ mode: 'static', headers: {} });
    if (isReadBy(transportOf(target.url), found.allowHttp)) {
      return err({ reason: 'mode_unavailable', message: 'This server is not reached over https.' });
    }
    return ok({ mode: 'static', headers: { Authorization: `Bearer ${found.token.reveal()}` } });
  };
}
