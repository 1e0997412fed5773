export interface PageAnswer {
  readonly status?: number;
  readonly cookies?: readonly string[];
  /** The page holds a form whose answer leads on to a provider. */
  readonly leadsToProvider?: boolean;
  /** Of the one script it may run: `'sha256-...'`. */
  readonly scriptHash?: string;
}

/** Browsers apply `form-action` to every redirect after a post, and providers lead on to places of their own. */
const providerTargets = 'https:';
/** On one's own machine a provider may be there too. */
const loopbackTargets = 'https: http://127.0.0.1:* http://localhost:*';

/**
 * A page: no script but a known one, nothing from elsewhere, in no frame, stored nowhere. The referrer policy is `same-origin`, which
 * tells other sites as little as `no-referrer`: with that one browsers send `Origin: null` with our own forms.
 */
export function pageAnswer(origin: string, html: string, answer: PageAnswer = {}): Response {
  const targets = origin.startsWith('https:') ? providerTargets : loopbackTargets;
  const formAction = answer.leadsToProvider === true ? `'self' ${targets}` : `'self'`;
  const headers = baseHeaders(origin, answer.cookies);
  const script = answer.scriptHash === undefined ? '' : ` script-src ${answer.scriptHash};`;
  headers.set('content-type', 'text/html; charset=utf-8');
  headers.set(
    'content-security-policy',
    `default-src 'none';${script} style-src 'self'; img-src data:; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`,
  );
  headers.set('x-frame-options', 'DENY');
  headers.set('cross-origin-opener-policy', 'same-origin');
  headers.set('cross-origin-resource-policy', 'same-origin');
  headers.set('permissions-policy', 'camera=(), geolocation=(), microphone=()');
  return new Response(html, { status: answer.status ?? 200, headers });
}

/** 303: after a post the browser goes on with GET. */
export function redirectAnswer(origin: string, location: string, cookies?: readonly string[]): Response {
  const headers = baseHeaders(origin, cookies);
  headers.set('location', location);
  headers.set('referrer-policy', 'no-referrer');
  return new Response(null, { status: 303, headers });
}

/** An answer to a program. */
export function jsonAnswer(origin: string, body: unknown, status = 200): Response {
  return Response.json(body, { status, headers: baseHeaders(origin, undefined) });
}

function baseHeaders(origin: string, cookies: readonly string[] | undefined): Headers {
  const headers = new Headers({
    'cache-control': 'no-store',
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex, nofollow',
  });
  if (origin.startsWith('https:')) headers.set('strict-transport-security', 'max-age=31536000');
  for (const cookie of cookies ?? []) headers.append('set-cookie', cookie);
  return headers;
}
