import type { Feeds } from '#auth/feeds/feeds.ts';
import { deliveryError, type FeedRefusal, feedRefusal, isPassing } from '#auth/feeds/refusal.ts';
import { limits } from '#kernel/limits.ts';
import { readText } from './read-text.ts';

/** Where issuers tell of revocations by themselves: `/ssf` and `/backchannel-logout`. */
export interface SecurityEvents {
  /** A security event token, pushed (RFC 8935). */
  push(request: Request): Promise<Response>;
  /** A logout token (OpenID Connect Back-Channel Logout 1.0). */
  logout(request: Request): Promise<Response>;
}

const uncached = { 'cache-control': 'no-store' } as const;
/** Beside the token: the name of the parameter, and what percent-encoding adds. */
const maxFormBytes = limits.maxEventTokenBytes + 1_024;

export function createSecurityEvents(
  feeds: Pick<Feeds, 'takesPushes' | 'takesLogouts' | 'push' | 'logout'>,
): SecurityEvents {
  return {
    async push(request) {
      if (!feeds.takesPushes()) return notFound();
      if (request.method !== 'POST') return onlyPost();
      if (mediaType(request) !== 'application/secevent+jwt') return refusePush(feedRefusal('malformed'));
      const text = await readText(request, limits.maxEventTokenBytes);
      if (!text.ok) return refusePush(feedRefusal(text.error));
      const taken = await feeds.push(text.value.trim(), request.headers.get('authorization'));
      return taken.ok ? new Response(null, { status: 202, headers: uncached }) : refusePush(taken.error);
    },
    async logout(request) {
      if (!feeds.takesLogouts()) return notFound();
      if (request.method !== 'POST') return onlyPost();
      if (mediaType(request) !== 'application/x-www-form-urlencoded') return refuseLogout();
      const form = await readText(request, maxFormBytes);
      const tokens = form.ok ? new URLSearchParams(form.value).getAll('logout_token') : [];
      const [token] = tokens;
      if (token === undefined || tokens.length > 1) return refuseLogout();
      const taken = await feeds.logout(token);
      if (taken.ok) return new Response(null, { status: 200, headers: uncached });
      return isPassing(taken.error) ? sendAgain(taken.error) : refuseLogout();
    },
  };
}

function refusePush(why: FeedRefusal): Response {
  if (isPassing(why)) return sendAgain(why);
  if (why.reason === 'unauthenticated') {
    return Response.json(
      { err: 'authentication_failed', description: 'The bearer token that was agreed upon is required.' },
      { status: 401, headers: { ...uncached, 'content-language': 'en', 'www-authenticate': 'Bearer' } },
    );
  }
  const status = why.reason === 'too_large' ? 413 : 400;
  return Response.json(deliveryError(why), { status, headers: { ...uncached, 'content-language': 'en' } });
}

function refuseLogout(): Response {
  const body = { error: 'invalid_request', error_description: 'The logout token was not accepted.' };
  return Response.json(body, { status: 400, headers: uncached });
}

function sendAgain({ reason }: FeedRefusal): Response {
  const seconds = reason === 'busy' ? '1' : '5';
  return Response.json(
    { error: 'temporarily_unavailable' },
    { status: 503, headers: { ...uncached, 'retry-after': seconds } },
  );
}

function mediaType(request: Request): string | undefined {
  return request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
}

function notFound(): Response {
  return Response.json({ error: 'not_found' }, { status: 404 });
}

function onlyPost(): Response {
  return new Response(null, { status: 405, headers: { allow: 'POST' } });
}
