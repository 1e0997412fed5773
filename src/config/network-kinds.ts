import { isIP } from 'node:net';
import { err, ok, type Result } from '#kernel/result.ts';
import { isLoopbackHost } from '#outbound/loopback.ts';
import type { MessageTarget } from '#outbound/message-socket.ts';
import type { ListenAddress } from './config.ts';
import { type Kind, scalar } from './kind.ts';

/** What most ranges are: told without loading `node:net`. */
const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

interface UrlRules {
  /** A base for paths: no query, and slashes at the end are dropped. */
  readonly isBase: boolean;
}

/** An absolute http or https URL, kept as written; never with user info or a fragment. */
function url(rules: UrlRules): Kind<string> {
  return scalar({
    name: 'URL',
    schema: { type: 'string', format: 'uri', pattern: '^https?://' },
    parse: (value) => {
      const parsed = parseUrl(value);
      if (parsed === undefined) return err('is not an absolute URL: write https://host/path');
      if (parsed.username !== '' || parsed.password !== '')
        return err('must not hold a user name or password');
      if (value.includes('#')) return err('must not hold a fragment (#)');
      // It stands between quotes in headers, and is compared byte for byte.
      if (/["\\]/.test(value)) return err('must not hold a quote or a backslash');
      if (!rules.isBase) return ok(value);
      if (value.includes('?')) return err('must not hold a query (?)');
      return ok(value.replace(/\/+$/, ''));
    },
  });
}

export const anyUrl: Kind<string> = url({ isBase: false });
export const baseUrl: Kind<string> = url({ isBase: true });

/** The URL of http or https text, or undefined. */
export function parseUrl(value: string): URL | undefined {
  if (!/^https?:\/\/[^\s/]/i.test(value) || /\s/.test(value)) return undefined;
  return URL.canParse(value) ? new URL(value) : undefined;
}

/** Whether the URL's host is this machine: `localhost`, `*.localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopbackUrl(value: string): boolean {
  const host = parseUrl(value)?.hostname;
  return host !== undefined && isLoopbackHost(host);
}

export const urlPath: Kind<string> = scalar({
  name: 'path',
  schema: { type: 'string', pattern: '^/' },
  parse: (value) =>
    /^\/[^\s?#]*$/.test(value) ? ok(value) : err('must start with a slash and hold no query or fragment'),
});

/** `HOST:PORT`, `[IPV6]:PORT`, or a port alone for 127.0.0.1. */
export const listenAddress: Kind<ListenAddress> = scalar<ListenAddress>({
  name: 'HOST:PORT',
  schema: { type: 'string', pattern: '^(.+:)?\\d{1,5}$' },
  parse: (value) => {
    const match = /^(?:(\[[0-9a-f:.]+\]|[a-z0-9.-]+):)?(\d{1,5})$/i.exec(value);
    const port = Number(match?.[2]);
    if (match === null || port > 65_535)
      return err('is not an address: write HOST:PORT, such as 127.0.0.1:3213');
    const host = (match[1] ?? '127.0.0.1').replace(/^\[|\]$/g, '');
    if (host.includes(':') && isIP(host) !== 6) return err('holds no valid IPv6 address');
    return ok({ host, port });
  },
  show: (address) =>
    address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`,
});

/** Where syslog messages go; the port may be left out where it has a usual one. */
export const syslogAddress: Kind<MessageTarget> = scalar<MessageTarget>({
  name: 'syslog address',
  schema: { type: 'string', pattern: '^((udp|tcp|tls)://.+|unix:/.+)$' },
  parse: (value) => {
    const path = /^unix:(\/[^\0]+)$/.exec(value)?.[1];
    if (path !== undefined) return ok({ kind: 'unix', path });
    const match = /^(udp|tcp|tls):\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/i.exec(value);
    const kind = (['udp', 'tcp', 'tls'] as const).find((known) => known === match?.[1]);
    if (match?.[2] === undefined || kind === undefined)
      return err('is not an address: write udp://host:514, tcp://host:601, tls://host:6514 or unix:/path');
    const port = match[3] === undefined ? usualSyslogPorts[kind] : Number(match[3]);
    const host = match[2].replace(/^\[|\]$/g, '');
    if (port < 1 || port > 65_535) return err('holds no valid port');
    if (host.includes(':') && isIP(host) !== 6) return err('holds no valid IPv6 address');
    return ok({ kind, host, port });
  },
  show: (target) => {
    if (target.kind === 'unix') return `unix:${target.path}`;
    const host = target.host.includes(':') ? `[${target.host}]` : target.host;
    return `${target.kind}://${host}:${target.port}`;
  },
});

const usualSyslogPorts = { udp: 514, tcp: 601, tls: 6_514 } as const;

/** An origin, or `https://*.suffix` for its subdomains (`*.suffix` means the same). */
export const origin: Kind<string> = scalar({
  name: 'origin',
  schema: { type: 'string' },
  parse: (value): Result<string, string> => {
    if (value === '*') return err('would let every website in: name the origins, such as https://claude.ai');
    const written = value.startsWith('*.') ? `https://${value}` : value;
    const plain = written.replace(/^(https?:\/\/)\*\./, '$1');
    const parsed = parseUrl(plain);
    if (parsed === undefined || parsed.origin !== plain.toLowerCase()) {
      return err('is not an origin: write https://host or https://*.suffix, without a path');
    }
    if (plain !== written && !parsed.hostname.includes('.'))
      return err('stands for a whole top-level domain');
    return ok(written.toLowerCase());
  },
});

/** A CIDR range; an address alone is a range of one. */
export const cidr: Kind<string> = scalar({
  name: 'CIDR',
  schema: { type: 'string' },
  parse: (value) => {
    const [address = '', bits, ...rest] = value.split('/');
    const family = ipv4.test(address) ? 4 : isIP(address);
    const width = family === 6 ? 128 : 32;
    const isWidth = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= width);
    if (family === 0 || rest.length > 0 || !isWidth)
      return err('is not a range: write an address, or 10.0.0.0/8');
    return ok(`${address}/${bits ?? width}`);
  },
});

/** A host as a `Host` header names it, without port; kept in lower case. */
export const hostName: Kind<string> = scalar({
  name: 'host',
  schema: { type: 'string' },
  parse: (value) => {
    const isName =
      /^[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(value) || isIP(value.replace(/^\[(.*)\]$/, '$1')) === 6;
    return isName ? ok(value.toLowerCase()) : err('is not a host name or address; write it without a port');
  },
});

/** A host name, or a CIDR range; an address alone is a range of one. */
export const privateTarget: Kind<string> = scalar({
  name: 'host or CIDR',
  schema: { type: 'string' },
  parse: (value) => {
    if (/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i.test(value) && !/^[\d.]+$/.test(value)) return ok(value.toLowerCase());
    const range = cidr.parse(value);
    if (!range.ok) return err('is not a host name, an address or a range such as 10.0.0.0/8');
    return range.value.endsWith('/0') ? err('would allow every address') : range;
  },
});
