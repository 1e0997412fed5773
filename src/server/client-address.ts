import { BlockList, isIP } from 'node:net';

/** Reads the client's address: the peer's own, or what trusted proxies wrote into `X-Forwarded-For`, from the right. */
export function createClientAddress(
  trustedProxies: readonly string[],
): (peer: string | undefined, headers: Headers) => string | undefined {
  if (trustedProxies.length === 0) return (peer) => peer;
  // Made for the first request: a start need not load `node:net`.
  let trusted: BlockList | undefined;
  const isTrusted = (address: string) => {
    const family = isIP(address);
    trusted ??= blockListOf(trustedProxies);
    return family !== 0 && trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  };

  return (peer, headers) => {
    if (peer === undefined) return peer;
    let address = peer.replace(/^::ffff:(?=\d+\.)/, '');
    const hops = headers.get('x-forwarded-for')?.split(',') ?? [];
    while (isTrusted(address)) {
      const next = hops.pop()?.trim();
      if (next === undefined || isIP(next) === 0) return address;
      address = next;
    }
    return address;
  };
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of ranges) {
    const [address = '', bits] = cidr.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
