import { isIPv4, isIPv6 } from 'node:net';

/**
 * What of IPv4 is not public: the special-purpose registry of IANA (RFC 6890), multicast, class E, and the one address
 * of a public range that a cloud answers to its own machines (Azure's wire server).
 */
const specialIpv4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '168.63.129.16/32',
].map((range) => {
  const [first = '', bits] = range.split('/');
  return { first: ipv4Number(first), size: 2 ** (32 - Number(bits)) };
});

/**
 * Whether an IP address belongs to the public internet. Of IPv6: global unicast without its special ranges, and IPv4
 * inside of it where it is mapped (`::ffff:0:0/96`) or translated (NAT64, RFC 6052), if that is public. 6to4 and
 * Teredo never are. What is no address, or has a zone, is not public.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return isPublicIpv4(ipv4Number(address));
  const groups = ipv6Groups(address);
  if (groups === undefined) return false;
  const [first = 0, second = 0, , , , , high = 0, low = 0] = groups;
  const prefix = groups.slice(0, 6).join(':');
  if (prefix === '0:0:0:0:0:65535' || prefix === nat64) return isPublicIpv4(high * 65_536 + low);
  if (first < 0x2000 || first > 0x3fff) return false;
  const isSpecial =
    (first === 0x2001 && (second < 0x200 || second === 0xdb8)) ||
    first === 0x2002 ||
    (first === 0x3fff && second < 0x1000);
  return !isSpecial;
}

/** 64:ff9b::/96, its groups in decimal. */
const nat64 = '100:65435:0:0:0:0';

function isPublicIpv4(address: number): boolean {
  return specialIpv4.every(({ first, size }) => address < first || address >= first + size);
}

function ipv4Number(dotted: string): number {
  return dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The eight groups of an address in any of its spellings. */
function ipv6Groups(address: string): readonly number[] | undefined {
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const canonical = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1);
  if (canonical === undefined) return undefined;
  const [left = [], right = []] = canonical.split('::').map((half) =>
    half
      .split(':')
      .filter((group) => group !== '')
      .map((group) => Number.parseInt(group, 16)),
  );
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}
