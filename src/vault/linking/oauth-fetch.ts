import { allowInsecureRequests, customFetch } from 'oauth4webapi';
import { createLibraryFetch } from '#outbound/library-fetch.ts';
import type { Reach } from './discovery.ts';

/**
 * What `oauth4webapi` needs to ask a provider: our own outbound in place of its `fetch`, with its address rules, deadline
 * and byte cap. Whether http is allowed is those rules' matter, so the library's own check is off.
 */
export function oauthOptions({ egress, timeoutMs }: Reach) {
  return { [allowInsecureRequests]: true, [customFetch]: createLibraryFetch(egress.outbound, timeoutMs) };
}
