const allowedHeaders = new Set([
  'authorization',
  'dpop',
  'content-type',
  'accept',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
  'mcp-session-id',
  'last-event-id',
  'traceparent',
  'tracestate',
  'baggage',
  'x-cortex-backends',
  'x-cortex-tool-mode',
]);

const exposedHeaders = 'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, Retry-After';

/** The answer to a preflight from an allowed origin; it needs no token. */
export function preflight(origin: string, requestHeaders: string | null): Response {
  const asked = (requestHeaders ?? '').split(',').map((name) => name.trim().toLowerCase());
  const params = asked.filter((name) => /^mcp-param-[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/.test(name));
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST, GET, DELETE, OPTIONS',
      'access-control-allow-headers': [...allowedHeaders, ...params.slice(0, 64)].join(', '),
      'access-control-max-age': '600',
      vary: 'Origin, Access-Control-Request-Headers',
    },
  });
}

/** Lets a page of an allowed origin read an answer. */
export function exposeTo(origin: string, response: Response): Response {
  response.headers.set('access-control-allow-origin', origin);
  response.headers.set('access-control-expose-headers', exposedHeaders);
  response.headers.append('vary', 'Origin');
  return response;
}

/** Lets any page read a public document. */
export function publicJson(document: unknown, maxAgeSeconds: number): Response {
  return Response.json(document, {
    headers: {
      'access-control-allow-origin': '*',
      'cache-control': `public, max-age=${maxAgeSeconds}`,
      'x-content-type-options': 'nosniff',
    },
  });
}
