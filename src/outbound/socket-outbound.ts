import { exchange } from './exchange.ts';
import { type Outbound, type OutboundOptions, transportOptions } from './outbound.ts';
import { createSocketTransport } from './socket-transport.ts';
import { createTargets } from './target.ts';

/** Over connections of our own, at a third of what undici costs: for the calls of users. The same suite tests both. */
export function createSocketOutbound(options: OutboundOptions = {}): Outbound {
  const targets = createTargets();
  const transport = createSocketTransport(transportOptions(options));
  return {
    request: (request) => exchange(transport, targets(request.url), request),
    close: () => transport.close(),
  };
}
