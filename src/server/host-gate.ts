import { isIP } from 'node:net';

const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The name of a Host header, without its port. */
function nameOf(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase();
}

/** A host as a Host header spells it: IPv6 in brackets. */
function asHeader(host: string): string {
  return /:.*:/.test(host) && isIP(host) === 6 ? `[${host}]` : host;
}

/** Whether a Host header is ours: the canonical URL's, the listener's, or a loopback name. Guards against DNS rebinding (R1). */
export function createHostGate(canonicalUrl: string, listenHost: string): (host: string | null) => boolean {
  const isOurs = createNameGate([new URL(canonicalUrl).host, listenHost]);
  let accepted: string | null = null;
  return (host) => {
    if (host === accepted) return true;
    if (host !== null && !isOurs(host)) return false;
    accepted = host;
    return true;
  };
}

/** Whether a Host header is one of these, or a loopback name. */
export function createNameGate(hosts: readonly string[]): (host: string) => boolean {
  const allowed = new Set([...loopbackNames, ...hosts.map((host) => nameOf(asHeader(host)))]);
  return (host) => allowed.has(nameOf(host));
}
