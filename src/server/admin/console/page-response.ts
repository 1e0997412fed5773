const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data:',
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  'trusted-types console',
  "require-trusted-types-for 'script'",
].join('; ');

/**
 * A page: nothing written into it runs, nothing comes from elsewhere, it stands in no frame and is stored nowhere. Its
 * address holds a key: no other site is told of it; with `no-referrer` browsers would send `Origin: null` with our forms.
 */
export function pageResponse(html: string, status: number): Response {
  return new Response(html, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=()',
      'x-robots-tag': 'noindex, nofollow',
    },
  });
}

/** After a post the browser goes on with GET. */
export function seeOther(location: string): Response {
  return new Response(null, { status: 303, headers: { location, 'referrer-policy': 'same-origin' } });
}
