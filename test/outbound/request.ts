import type { OutboundRequest } from '#outbound/outbound.ts';

/** A POST to `url` with short bounds, changed as the test needs it. */
export function post(url: string, changes: Partial<OutboundRequest> = {}): OutboundRequest {
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    body: '{"method":"x"}',
    timeoutMs: 2_000,
    maxBytes: 1_000_000,
    signal: undefined,
    pool: undefined,
    onEvent: undefined,
    ...changes,
  };
}
