/** OAuth error codes that an endpoint answers with, instead of a redirect. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_redirect_uri'
  | 'invalid_client_metadata'
  | 'temporarily_unavailable';

export interface OAuthError {
  readonly error: OAuthErrorCode;
  readonly description: string;
}

const common = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' } as const;

export function jsonAnswer(
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(body, { status, headers: { 'cache-control': 'no-store', ...common, ...headers } });
}

/** RFC 6749 section 5.2. Errors of client authentication are 401 with a challenge, full stores 503, the rest 400. */
export function oauthErrorAnswer({ error, description }: OAuthError): Response {
  const body = { error, error_description: description };
  if (error === 'invalid_client') return jsonAnswer(body, 401, { 'www-authenticate': 'Basic realm="token"' });
  if (error === 'temporarily_unavailable') return jsonAnswer(body, 503, { 'retry-after': '3600' });
  return jsonAnswer(body, 400);
}

/** A redirect that nothing may store; 303 after a post, so that the browser goes on with GET. */
export function redirectAnswer(location: string, setCookie?: string): Response {
  const headers = new Headers({ location, 'cache-control': 'no-store', ...common });
  if (setCookie !== undefined) headers.append('set-cookie', setCookie);
  return new Response(null, { status: 303, headers });
}

export interface PageOptions {
  readonly status?: number;
  readonly setCookie?: string | undefined;
  /** Where a form of the page may end up by redirect, besides this server. */
  readonly formTarget?: string;
  readonly retryAfterSeconds?: number;
}

/**
 * A page with everything shut: no script, no framing, nothing from elsewhere. The referrer policy is `same-origin`,
 * not `no-referrer`, as browsers would then send `Origin: null` with our own forms.
 */
export function pageAnswer(html: string, options: PageOptions = {}): Response {
  const formTarget = options.formTarget === undefined ? '' : ` ${options.formTarget}`;
  const headers = new Headers({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': `default-src 'none'; style-src 'self'; img-src data:; form-action 'self'${formTarget}; base-uri 'none'; frame-ancestors 'none'`,
    'x-frame-options': 'DENY',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
    ...common,
  });
  if (options.setCookie !== undefined) headers.append('set-cookie', options.setCookie);
  if (options.retryAfterSeconds !== undefined) headers.set('retry-after', String(options.retryAfterSeconds));
  return new Response(html, { status: options.status ?? 200, headers });
}
