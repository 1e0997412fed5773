/** Where a request goes: an http or https URL, taken apart. */
export interface Target {
  readonly isTls: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
  /** As in the `Host` header: the port only where it is not the scheme's own. */
  readonly host: string;
  readonly origin: string;
  /** With the query. */
  readonly path: string;
}

const maxRemembered = 1_024;

/** Reads URLs, and remembers the last ones: a backend has one, and every call goes there. */
export function createTargets(): (url: string) => Target | undefined {
  const remembered = new Map<string, Target>();
  return (url) => {
    const known = remembered.get(url);
    if (known !== undefined) return known;
    const target = readTarget(url);
    if (target === undefined) return undefined;
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(url, target);
    return target;
  };
}

function readTarget(text: string): Target | undefined {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined;
  const isTls = url.protocol === 'https:';
  return {
    isTls,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    host: url.host,
    origin: url.origin,
    path: url.pathname + url.search,
  };
}
