import { styleAnswer, styleSheetPath } from '#look/style-answer.ts';
import { messagePage } from '#server/pages/message-page.ts';
import { pageAnswer } from '#server/pages/page-answer.ts';

/** Waits on this machine for the answer of a sign-in (RFC 8252 section 7.3). */
export interface LoopbackCallback {
  readonly redirectUri: string;
  /** The query of the first answer with our state; the page in the browser waits until `respond`. */
  answer(): Promise<URLSearchParams>;
  /** What the browser shows; with `next` it goes on there by itself. */
  respond(page: { readonly title: string; readonly text: string; readonly next?: string }): void;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. Answers with another state are refused and change nothing. */
export function listenForCallback(state: string): LoopbackCallback {
  const answered = Promise.withResolvers<URLSearchParams>();
  const shown = Promise.withResolvers<string>();
  const server: Bun.Server<undefined> = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 60,
    async fetch(request): Promise<Response> {
      const url = new URL(request.url);
      if (url.pathname === styleSheetPath) return styleAnswer();
      if (url.pathname !== '/callback' || request.method !== 'GET')
        return new Response('not found\n', { status: 404 });
      if (url.searchParams.get('state') !== state)
        return new Response('this is not the sign-in that was begun\n', { status: 400 });
      answered.resolve(url.searchParams);
      return pageAnswer(server.url.origin, await shown.promise);
    },
  });
  return {
    redirectUri: `http://127.0.0.1:${server.port}/callback`,
    answer: () => answered.promise,
    respond({ title, text, next }) {
      const page = messagePage('Cortex', {
        title,
        text: [text],
        next: next === undefined ? undefined : { label: 'Go on', href: next },
      });
      shown.resolve(next === undefined ? page : withRefresh(page, next));
    },
    async close() {
      // The last answer gets out; nothing else is waited for.
      for (let waited = 0; server.pendingRequests > 0 && waited < 1_000; waited += 10) await Bun.sleep(10);
      await server.stop(true);
    },
  };
}

/** A page of its own begins a new way: a redirect would still be bound by the policy of the page before. */
function withRefresh(page: string, next: string): string {
  const url = next.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  return page.replace('<head>', `<head>\n<meta http-equiv="refresh" content="0; url=${url}">`);
}
