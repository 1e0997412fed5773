import { lookup as systemLookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { err } from '#kernel/result.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import { isPublicAddress } from './public-address.ts';

export interface PublicOutboundOptions {
  /** Every address of a name, IPv4 and IPv6; the system's resolver unless given. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
  /** The addresses that may be reached, by the host they were found for; `isPublicAddress` unless given. */
  readonly mayReach?: (address: string, host: string) => boolean;
  /** The hosts that may be reached over http; none unless given. */
  readonly mayUseHttp?: (host: string) => boolean;
  /** PEM certificates to trust in place of the system's. */
  readonly ca?: string;
}

/**
 * An outbound for URLs that somebody else chose: https to public addresses alone (R39), unless the options allow more.
 * A name all of whose addresses are public is connected to at the addresses that were looked at, whatever it resolves to
 * a moment later. Refused are, as `invalid_request` before anything is resolved: `not_https`, `user_info`, `not_public`;
 * as `unreachable` with the code `ENOTPUBLIC`: a name with an address that is not public. Does not restrict ports.
 */
export function createPublicOutbound(options: PublicOutboundOptions = {}): Outbound {
  const { resolve = resolveBySystem, mayReach = isPublicAddress, mayUseHttp = () => false, ca } = options;
  const outbound = createOutbound({
    lookup: guardedLookup(resolve, mayReach),
    // Strangers name the origins: few connections, kept for few of them.
    maxConnections: 4,
    maxPools: 32,
    ...(ca === undefined ? {} : { ca }),
  });
  return {
    async request(request) {
      const detail = refusal(request.url, mayReach, mayUseHttp);
      if (detail === undefined) return outbound.request(request);
      return err({ reason: 'invalid_request', phase: 'connect', wasSent: false, detail, bodyBytes: 0 });
    },
    close: () => outbound.close(),
  };
}

/** URL parsers write every spelling of an IPv4 address (octal, hexadecimal, short, one number) as dotted decimals. */
function refusal(
  text: string,
  mayReach: (address: string, host: string) => boolean,
  mayUseHttp: (host: string) => boolean,
): 'not_https' | 'user_info' | 'not_public' | undefined {
  const url = URL.parse(text);
  if (url === null) return 'not_https';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && mayUseHttp(host))) return 'not_https';
  if (url.username !== '' || url.password !== '') return 'user_info';
  return isIP(host) !== 0 && !mayReach(host, host) ? 'not_public' : undefined;
}

function guardedLookup(
  resolve: (name: string) => Promise<readonly string[]>,
  mayReach: (address: string, host: string) => boolean,
): LookupFunction {
  return (name, { all }, callback) => {
    resolve(name).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) return callback(failure('ENOTFOUND'), '');
        if (!addresses.every((address) => mayReach(address, name)))
          return callback(failure('ENOTPUBLIC'), '');
        if (all !== true) return callback(null, first, isIP(first));
        callback(
          null,
          addresses.map((address) => ({ address, family: isIP(address) })),
        );
      },
      (error: unknown) => callback(error instanceof Error ? error : failure('ENOTFOUND'), ''),
    );
  };
}

async function resolveBySystem(name: string): Promise<readonly string[]> {
  const found = await systemLookup(name, { all: true });
  return found.map(({ address }) => address);
}

function failure(code: 'ENOTFOUND' | 'ENOTPUBLIC'): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
