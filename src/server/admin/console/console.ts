import type { Clock } from '#kernel/clock.ts';
import { html } from '#kernel/html.ts';
import type { Schedule } from '#kernel/schedule.ts';
import type { Connection } from '../../connection.ts';
import { readPageForm } from '../../pages/page-form.ts';
import { adminCookie } from '../admin-cookie.ts';
import type { AdminDoor } from '../admin-door.ts';
import { adminMessage } from '../admin-refusal.ts';
import { type AdminSession, isOwnAddress, isOwnRequest } from '../admin-sessions.ts';
import { createActs } from './acts.ts';
import { assetAt } from './assets.ts';
import { type ConsolePage, drawPage, type Viewer } from './console-page.ts';
import type { ConsoleSource } from './console-source.ts';
import { createLivePages } from './live.ts';
import { pageResponse, seeOther } from './page-response.ts';
import { signInPage, type WhySignIn } from './sign-in-page.ts';
import { createViews } from './views.ts';

/** A request that passed the gates of the listener. */
export interface ConsoleVisit {
  readonly request: Request;
  readonly url: URL;
  readonly host: string;
  readonly network: string;
  readonly connection: Connection | undefined;
  /** False: a link of another site led here, and no session is looked at. */
  readonly isOwn: boolean;
}

/** The pages for operators, under `/console`. */
export interface Console {
  fetch(visit: ConsoleVisit): Promise<Response>;
  close(): void;
}

export interface ConsoleDeps {
  readonly door: AdminDoor;
  readonly source: ConsoleSource;
  readonly clock: Clock;
  readonly schedule: Schedule;
}

/** `/console/<key of the session>/<the page>`. */
const addressShape = /^\/console\/([\w-]{43})\/(.*)$/;
/** Where somebody may go on after signing in. */
const nextShape = /^[a-z0-9/._-]{0,100}(?:\?[\w%&=+.:~*-]{0,400})?$/;

export function createConsole({ door, source, clock, schedule }: ConsoleDeps): Console {
  const views = createViews(source, door);
  const acts = createActs(source, door);
  const live = createLivePages(schedule, clock);

  function askToSignIn(status: number, next = '', problem?: WhySignIn): Response {
    const isNext = nextShape.test(next);
    return pageResponse(signInPage(source.name(), isNext ? next : '', problem), status);
  }

  async function signIn({ request, host, network }: ConsoleVisit): Promise<Response> {
    const form = await readPageForm(request);
    const next = form?.get('next') ?? '';
    const given = form?.get('token')?.trim();
    const signedIn = await door.signIn(given === '' ? undefined : given, network);
    if (!signedIn.ok) {
      const { reason, waitSeconds } = signedIn.error;
      const status = { unauthorized: 401, rate_limited: 429, not_recordable: 503 }[reason];
      const response = askToSignIn(status, next, reason);
      if (waitSeconds !== undefined) response.headers.set('retry-after', String(waitSeconds));
      return response;
    }
    const { id, session } = signedIn.value;
    const seconds = Math.ceil((session.expiresAt - clock.now()) / 1_000);
    const response = seeOther(`/console/${session.key}/${nextShape.test(next) ? next : ''}`);
    response.headers.set('set-cookie', adminCookie(host, id, seconds));
    return response;
  }

  function viewerOf(session: AdminSession): Viewer {
    return { session, base: `/console/${session.key}/`, now: clock.now() };
  }

  function show(page: ConsolePage | undefined, viewer: Viewer, address: string): Response {
    const shown = page ?? {
      title: 'Not here',
      place: '',
      status: 404,
      parts: [
        {
          id: 'missing',
          content: () =>
            html`<p class="panel">There is nothing of this name now. <a href="${viewer.base}">Overview</a></p>`,
        },
      ],
    };
    return pageResponse(drawPage(shown, viewer, source.name(), address), shown.status ?? 200);
  }

  /** Shown again and again, until the session ends or is another one's. */
  async function follow(visit: ConsoleVisit, session: AdminSession): Promise<Response> {
    const address = visit.url.searchParams.get('of') ?? '';
    const page = await views.at(address, viewerOf(session));
    if (page?.parts.some(({ isLive }) => isLive === true) !== true)
      return new Response('nothing of this page is live', { status: 404 });
    const look = async () => {
      const now = door.session(visit.request, visit.host);
      if (now?.key !== session.key) return undefined;
      return (await views.at(address, viewerOf(now)))?.parts;
    };
    const opened = live.open([], look);
    if (opened === undefined) return new Response('too many pages are open', { status: 503 });
    visit.connection?.keepOpen();
    return opened;
  }

  async function within(visit: ConsoleVisit, session: AdminSession, address: string): Promise<Response> {
    const { request, url, host } = visit;
    const viewer = viewerOf(session);
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (address === 'live') return follow(visit, session);
      const whole = `${address}${url.search}`;
      return show(await views.at(whole, viewer), viewer, whole);
    }
    if (request.method !== 'POST')
      return new Response(null, { status: 405, headers: { allow: 'GET, POST' } });
    const form = await readPageForm(request);
    if (form === undefined || !isOwnRequest(session, form.get('csrf')))
      return show(notOurs(viewer), viewer, '');
    if (address === 'sign-out') {
      door.signOut(request, host);
      const response = seeOther('/console');
      response.headers.set('set-cookie', adminCookie(host, undefined, 0));
      return response;
    }
    const outcome = await acts(address, form, viewer);
    return outcome instanceof Response ? outcome : show(outcome, viewer, '');
  }

  return {
    async fetch(visit) {
      const { request, url, host, isOwn } = visit;
      const { pathname } = url;
      const asset = assetAt(pathname);
      if (asset !== undefined) return asset;
      if (pathname === '/console/sign-in' && request.method === 'POST') return signIn(visit);
      const [, key, address = ''] = addressShape.exec(pathname) ?? [];
      if (key === undefined) return askToSignIn(pathname === '/console/sign-in' ? 405 : 200);
      const session = isOwn ? door.session(request, host) : undefined;
      // The cookie goes to every port of this machine; the key in the address goes nowhere.
      if (session === undefined || !isOwnAddress(session, key)) {
        const next = request.method === 'GET' ? `${address}${url.search}` : '';
        return askToSignIn(401, next, 'ended');
      }
      return within(visit, session, address);
    },
    close: live.close,
  };
}

function notOurs(viewer: Viewer): ConsolePage {
  return {
    title: 'That did not come from our page',
    place: '',
    status: 403,
    parts: [
      {
        id: 'refused',
        content: () =>
          html`<p class="panel">Nothing was done: ${adminMessage('csrf_refused')}. <a href="${viewer.base}">Overview</a></p>`,
      },
    ],
  };
}
