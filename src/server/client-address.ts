import { BlockList, isIP } from 'node:net';

/** Reads the client's address: the peer's own, or what trusted proxies wrote into `X-Forwarded-For`, from the right. */
export function createClientAddress(
  trustedProxies: readonly string[],
): (peer: string | undefined, headers: Headers) => string | undefined {
  if (trustedProxies.length === 0) return (peer) => peer;
  const trusted = new BlockList();
  for (const cidr of trustedProxies) {
    const [address = '', bits] = cidr.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const isTrusted = (address: string) => {
    const family = isIP(address);
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
