import { randomId } from '#kernel/ids.ts';
import type { Connection } from '../connection.ts';
import { createAccountPages } from './account-pages.ts';
import { createLinkApi } from './link-api.ts';
import { createLinkFlowPages } from './link-flow-pages.ts';
import { createPageDesk, type PeoplePagesDeps } from './page-desk.ts';
import { createSignInPages } from './sign-in-pages.ts';

/** The pages for people, and the two calls beside them for programs. */
export interface PeoplePages {
  /** Answers everything at `/link`, `/sign-in` and `/sign-out`. */
  handle(request: Request, connection: Connection | undefined): Promise<Response>;
}

type Answer = () => Promise<Response>;
interface Methods {
  readonly GET?: Answer;
  readonly POST?: Answer;
}

export function createPeoplePages(deps: PeoplePagesDeps): PeoplePages {
  const desk = createPageDesk(deps);
  const signIn = createSignInPages(desk);
  const accounts = createAccountPages(desk);
  const flow = createLinkFlowPages(desk);
  const api = createLinkApi(desk);

  /** Every path, with what it answers to. */
  function methodsOf(request: Request, url: URL, connection: Connection | undefined): Methods | undefined {
    switch (url.pathname) {
      case '/link':
        return { GET: () => accounts.list(request) };
      case '/sign-in':
        return { GET: () => signIn.begin(request, url, connection) };
      case '/sign-in/callback':
        return { GET: () => signIn.callback(request, url, connection) };
      case '/sign-out':
        return { POST: () => signIn.signOut(request) };
    }
    const [, server, act] = /^\/link\/([a-z][a-z0-9_-]{0,23})(?:\/([a-z]+))?$/.exec(url.pathname) ?? [];
    if (server === undefined) return undefined;
    switch (act) {
      case undefined:
        return {
          GET: () => flow.show(request, url, server),
          POST: () => flow.begin(request, server),
        };
      case 'callback':
        return { GET: () => flow.callback(request, url, server) };
      case 'finish':
        return { POST: () => flow.finish(request, server) };
      case 'unlink':
        return { POST: () => accounts.unlink(request, server) };
      case 'start':
        return { POST: () => api.start(request, server) };
      case 'status':
        return { GET: () => api.status(request, server) };
    }
    return undefined;
  }

  return {
    async handle(request, connection) {
      const methods = methodsOf(request, new URL(request.url), connection);
      if (methods === undefined) {
        const visitor = desk.visitors.recognise(request);
        const next = { label: 'Your accounts', href: '/link' };
        const text = ['There is no such page here.'];
        return desk.message(visitor, { title: 'Not found', text, next }, 404);
      }
      const answer =
        request.method === 'GET' ? methods.GET : request.method === 'POST' ? methods.POST : undefined;
      if (answer === undefined) {
        return new Response(null, { status: 405, headers: { allow: Object.keys(methods).join(', ') } });
      }
      try {
        return await answer();
      } catch (error) {
        const id = randomId();
        const stack = error instanceof Error ? error.stack : undefined;
        desk.log.error('pages.fault', {
          id,
          path: new URL(request.url).pathname,
          error: String(error),
          stack,
        });
        const text = [`It is our fault. If it stays so, tell whoever runs the gateway: ${id}`];
        const next = { label: 'Your accounts', href: '/link' };
        return desk.message(
          desk.visitors.recognise(request),
          { title: 'Something went wrong', text, next },
          500,
        );
      }
    },
  };
}
