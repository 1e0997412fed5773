import { createOutbound, type Outbound, type OutboundOptions } from '#outbound/outbound.ts';
import { createSocketOutbound } from '#outbound/socket-outbound.ts';

export interface Implementation {
  readonly name: string;
  readonly createOutbound: (options?: OutboundOptions) => Outbound;
}

/** Both carry requests of the gateway, and must be the same under every fault. */
export const implementations: readonly Implementation[] = [
  { name: 'undici', createOutbound },
  { name: 'our own sockets', createOutbound: createSocketOutbound },
];
