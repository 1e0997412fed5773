import type { SignInFailure } from '#auth/sign-in.ts';
import type { Connection } from '../connection.ts';
import { redirectAnswer } from './page-answer.ts';
import type { PageDesk } from './page-desk.ts';
import { readPageForm } from './page-form.ts';

const signInsPerMinute = 30;

/** Where a sign-in may lead: our own pages, spelled as we spell them. Anything else would be an open redirect. */
const localPath = /^\/link(?:\/[a-z][a-z0-9_-]{0,23}(?:\/callback)?)?(?:\?[A-Za-z0-9._~%=&+:/-]*)?$/;
/** It travels, sealed, in the `state`: longer addresses do not get past every server. */
const maxNextLength = 1_500;

/** Signing in through the gateway's issuer, and out. */
export function createSignInPages(desk: PageDesk) {
  const home = '/link';

  function refuse(request: Request, failure: SignInFailure, status: number): Response {
    const visitor = desk.visitors.recognise(request);
    const { title, text } = explain(failure);
    const href = `${desk.origin()}/sign-in?next=${encodeURIComponent(home)}`;
    return desk.message(visitor, { title, text, next: { label: 'Try again', href } }, status);
  }

  function isTooMany(request: Request, connection: Connection | undefined): boolean {
    const network = desk.networkOf(request, connection);
    return network !== undefined && desk.limiter.take(`sign-in ${network}`, signInsPerMinute) > 0;
  }

  function tooMany(request: Request): Response {
    const visitor = desk.visitors.recognise(request);
    const text = ['Too many sign-ins were begun from where you are. Wait a minute, then try again.'];
    return desk.message(visitor, { title: 'Please wait a minute', text }, 429);
  }

  return {
    /** `GET /sign-in?next=`: to the issuer, and back. */
    async begin(request: Request, url: URL, connection: Connection | undefined): Promise<Response> {
      if (isTooMany(request, connection)) return tooMany(request);
      const visitor = desk.visitors.recognise(request);
      const asked = url.searchParams.get('next') ?? home;
      const next = asked.length <= maxNextLength && localPath.test(asked) ? asked : home;
      const begun = await desk.signIn.begin(visitor.browser, next);
      if (!begun.ok) return refuse(request, begun.error, 503);
      return redirectAnswer(desk.origin(), begun.value, visitor.cookies);
    },

    /** `GET /sign-in/callback`: the issuer's answer. */
    async callback(request: Request, url: URL, connection: Connection | undefined): Promise<Response> {
      if (isTooMany(request, connection)) return tooMany(request);
      const visitor = desk.visitors.recognise(request);
      const finished = await desk.signIn.finish(visitor.browser, url.searchParams);
      if (!finished.ok) return refuse(request, finished.error, 400);
      const { principal, next } = finished.value;
      const relevant = new Set(desk.servers().flatMap(({ defaultScopes }) => defaultScopes));
      return redirectAnswer(desk.origin(), next, [desk.visitors.signIn(visitor, principal, relevant)]);
    },

    /** `POST /sign-out` */
    async signOut(request: Request): Promise<Response> {
      const form = await readPageForm(request);
      const visitor = desk.visitors.recognise(request);
      if (!desk.visitors.isOwnForm(request, visitor, form?.get('csrf'))) {
        const text = ['Open the page again, then sign out there.'];
        const next = { label: 'Your accounts', href: home };
        return desk.message(visitor, { title: 'That did not come from our page', text, next }, 403);
      }
      const text = [
        'Your links stay as they are, and your agents stay signed in. Whoever signed you in may still know you in this browser.',
      ];
      const next = { label: 'Sign in again', href: home };
      const cookies = [desk.visitors.signOut(), desk.visitors.catalogPass(visitor, undefined)];
      return desk.message(visitor, { title: 'You are signed out', text, next }, 200, cookies);
    },
  };
}

/** What went wrong, in words that help; the private reason is in the log. */
function explain(failure: SignInFailure): { readonly title: string; readonly text: readonly string[] } {
  switch (failure) {
    case 'denied':
      return {
        title: 'You were not signed in',
        text: ['You, or your organisation, said no. Nothing was changed.'],
      };
    case 'mismatch':
      return {
        title: 'This sign-in was not begun here',
        text: ['It began in another browser, is used up, or is not ours. Begin it again in this one.'],
      };
    case 'expired':
      return { title: 'That took too long', text: ['A sign-in is good for ten minutes. Begin it again.'] };
    case 'unavailable':
      return {
        title: 'Sign-in is not available right now',
        text: ['The server that signs you in did not answer. Try again in a moment.'],
      };
    case 'not_a_person':
      return {
        title: 'This is not a person’s account',
        text: ['Only people have accounts to link. Sign in as yourself.'],
      };
    case 'not_admitted':
      return {
        title: 'You may not come in here',
        text: [
          'You signed in, but this gateway does not admit that account.',
          'Ask whoever runs it. What they need is in its log, as sign_in.token_refused.',
        ],
      };
    case 'no_client':
    case 'client_refused':
    case 'refused':
      return {
        title: 'Sign-in does not work',
        text: [
          'The server that signs you in does not take sign-ins from this gateway.',
          'If it stays so, whoever runs the gateway has to set auth.sign_in; its log says why.',
        ],
      };
  }
}
