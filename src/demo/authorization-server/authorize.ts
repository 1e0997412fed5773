import { pageAnswer, redirectAnswer } from './answers.ts';
import {
  type AuthorizationRefusal,
  type AuthorizationRequest,
  parseAuthorizationRequest,
} from './authorization-request.ts';
import type { Browser } from './browser.ts';
import type { Endpoint, Parts } from './endpoint.ts';
import { consentPage, messagePage, oauthErrorPage } from './pages/pages.ts';
import { readForm } from './parameters.ts';
import { redirectTarget, withParameters } from './redirect-uri.ts';
import type { User } from './users.ts';

/** The authorization endpoint: GET asks the signed-in user, POST is the answer. Consent is asked every time. */
export function createAuthorizeEndpoints(parts: Parts): {
  readonly ask: Endpoint;
  readonly decide: Endpoint;
} {
  const { issuer, scopes, browsers, grants, revocations, limits } = parts;

  function refuse(refusal: AuthorizationRefusal): Response {
    if (refusal.kind === 'page')
      return pageAnswer(messagePage('This request cannot go on', refusal.message), { status: 400 });
    const { error, description, state, redirectUri } = refusal;
    const location = withParameters(redirectUri, {
      error,
      error_description: description,
      state,
      iss: issuer,
    });
    if (refusal.mayRedirect) return redirectAnswer(location);
    return pageAnswer(oauthErrorPage(description, redirectTarget(redirectUri), location), { status: 400 });
  }

  function consent(wanted: AuthorizationRequest, query: string, browser: Browser, user: User): Response {
    const now = scopes.allowed(wanted.scopes, user.plan);
    if (now.length === 0) return refuse(planAllowsNothing(wanted));
    const html = consentPage({
      clientName: wanted.client.name,
      clientId: wanted.client.id,
      target: redirectTarget(wanted.redirectUri),
      resource: wanted.resource,
      email: user.email,
      allowed: now.map(scopes.describe),
      later: wanted.scopes.filter((scope) => !now.includes(scope)).map(scopes.describe),
      query,
      csrf: browser.csrf,
    });
    return pageAnswer(html, { formTarget: formTarget(wanted.redirectUri) });
  }

  async function grant(wanted: AuthorizationRequest, user: User): Promise<Response> {
    const { client, redirectUri, state, challenge, resource } = wanted;
    for (const old of grants.ofUser(user.sub).slice(limits.maxGrantsPerUser - 1))
      await revocations.grant(old.id, user.sub);
    const code = grants.start(
      {
        clientId: client.id,
        clientName: client.name,
        canRefresh: client.canRefresh,
        sub: user.sub,
        resource,
        scopes: wanted.scopes,
      },
      redirectUri,
      challenge,
    );
    return redirectAnswer(withParameters(redirectUri, { code, state, iss: issuer }));
  }

  return {
    async ask({ request, url, address }) {
      const query = url.search.slice(1);
      const wanted = await parseAuthorizationRequest(query, address, parts);
      if (!wanted.ok) return refuse(wanted.error);
      const browser = browsers.recognise(request);
      if (browser.user === undefined)
        return redirectAnswer(`/sign-in?${new URLSearchParams({ next: `/authorize?${query}` })}`);
      return consent(wanted.value, query, browser, browser.user);
    },
    async decide({ request, address }) {
      const form = await readForm(request, limits.maxBodyBytes);
      const browser = browsers.recognise(request);
      if (
        !form.ok ||
        browser.user === undefined ||
        !browsers.isOwnForm(request, browser, form.value.get('csrf'))
      )
        return pageAnswer(
          messagePage(
            'That did not come from our page',
            'Please go back to your application and connect again.',
          ),
          {
            status: 403,
          },
        );
      const wanted = await parseAuthorizationRequest(form.value.get('request') ?? '', address, parts);
      if (!wanted.ok) return refuse(wanted.error);
      if (form.value.get('decision') === 'allow') return grant(wanted.value, browser.user);
      const { redirectUri, state } = wanted.value;
      return redirectAnswer(withParameters(redirectUri, { error: 'access_denied', state, iss: issuer }));
    },
  };
}

/** Never by redirect: right after a sign-in the policy of the page before would block it, and the user can do something. */
function planAllowsNothing({ redirectUri, state }: AuthorizationRequest): AuthorizationRefusal {
  const description =
    'Your plan includes nothing of what the application asked for. You can change it on your account page.';
  return { kind: 'client', error: 'invalid_scope', description, redirectUri, state, mayRedirect: false };
}

/**
 * Browsers apply `form-action` to every redirect after a post: a client's page may lead on to its others, hence all of
 * https. CSP cannot name an IPv6 address.
 */
function formTarget(redirectUri: string): string {
  const target = redirectTarget(redirectUri);
  if (target.kind === 'app') return `${target.scheme}:`;
  if (target.kind === 'site') return 'https:';
  return target.host.startsWith('[') ? 'http: https:' : `http://${target.host} https:`;
}
