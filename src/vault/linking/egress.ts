import { BlockList, isIP } from 'node:net';
import { isLoopbackHost } from '#outbound/loopback.ts';
import type { Outbound } from '#outbound/outbound.ts';
import { isPublicAddress } from '#outbound/public-address.ts';
import { createPublicOutbound, type PublicOutboundOptions } from '#outbound/public-outbound.ts';
import type { LinkedServer } from './linked-server.ts';

/** Every request about one server: what may be reached follows from what the operator wrote about it (R47). */
export interface Egress {
  /** Whether a browser may be sent there: https, or http where we would use it ourselves. */
  maySend(url: URL): boolean;
  readonly outbound: Outbound;
}

export interface EgressOptions {
  readonly resolve?: PublicOutboundOptions['resolve'];
  readonly ca?: string;
  /** What counts as the public internet; `isPublicAddress` unless given. */
  readonly isPublic?: (address: string) => boolean;
}

/**
 * https to public addresses; this machine only where the server itself is configured on it; anything else private only
 * where the operator lists it, or wrote that very address as the server's. A name other than `localhost` never leads to
 * this machine, whatever it resolves to.
 */
export function createEgress(server: LinkedServer, options: EgressOptions = {}): Egress {
  const { isPublic = isPublicAddress, resolve, ca } = options;
  const ownHost = bare(new URL(server.url).hostname);
  const isLocal = isLoopbackHost(ownHost);
  const allowed = readAllowList(server.allowPrivate);

  const mayReach = (address: string, host: string): boolean =>
    isPublic(address) ||
    address === ownHost ||
    (isLocal && isLoopbackHost(host) && isLoopbackHost(address)) ||
    allowed(address, host.toLowerCase());
  const mayUseHttp = (host: string): boolean =>
    (isLocal && isLoopbackHost(host)) ||
    (server.allowHttp && (host.toLowerCase() === ownHost || allowed(host, host.toLowerCase())));

  return {
    maySend({ protocol, hostname, username, password, hash }) {
      if (username !== '' || password !== '' || hash !== '') return false;
      return protocol === 'https:' || (protocol === 'http:' && mayUseHttp(bare(hostname)));
    },
    outbound: createPublicOutbound({
      mayReach,
      mayUseHttp,
      ...(resolve === undefined ? {} : { resolve }),
      ...(ca === undefined ? {} : { ca }),
    }),
  };
}

function readAllowList(entries: readonly string[]): (address: string, host: string) => boolean {
  const ranges = new BlockList();
  const hosts = new Set<string>();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(bare(address));
    if (family === 0) hosts.add(entry.toLowerCase());
    else if (bits === undefined) ranges.addAddress(bare(address), family === 4 ? 'ipv4' : 'ipv6');
    else ranges.addSubnet(bare(address), Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  }
  return (address, host) => {
    if (hosts.has(host)) return true;
    const family = isIP(address);
    return family !== 0 && ranges.check(address, family === 4 ? 'ipv4' : 'ipv6');
  };
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '').toLowerCase();
}
