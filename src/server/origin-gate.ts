const loopbackOrigin = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

/** A matcher for `https://*.example.com`: one or more labels in place of the star, never the bare suffix. */
function wildcard(pattern: string): (origin: string) => boolean {
  const [head = '', tail = ''] = pattern.split('*');
  return (origin) => {
    if (!origin.startsWith(head) || !origin.endsWith(tail)) return false;
    return /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/.test(origin.slice(head.length, origin.length - tail.length));
  };
}

/**
 * Whether a browser's Origin may talk to us (R1): the canonical URL's own, the configured ones, and, where the
 * gateway itself is on loopback, any page on loopback.
 */
export function createOriginGate(
  canonicalUrl: string,
  origins: readonly string[],
): (origin: string) => boolean {
  const own = new URL(canonicalUrl).origin;
  const exact = new Set([own, ...origins.filter((origin) => !origin.includes('*'))]);
  const wildcards = origins
    .filter((origin) => origin.includes('*'))
    .map((origin) => wildcard(origin.startsWith('*.') ? `https://${origin}` : origin));
  const isLocal = loopbackOrigin.test(own);
  return (origin) =>
    exact.has(origin) ||
    (isLocal && loopbackOrigin.test(origin)) ||
    wildcards.some((matches) => matches(origin));
}
