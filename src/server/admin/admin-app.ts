import { randomId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import { err, ok, type Result } from '#kernel/result.ts';
import { answerOperation } from '../answer-operation.ts';
import type { App } from '../app.ts';
import type { Connection } from '../connection.ts';
import { networkOf } from '../network-of.ts';
import { withSafeHeaders } from '../safe-headers.ts';
import { adminCookie } from './admin-cookie.ts';
import { type AdminDoor, type AdminDoorDeps, createAdminDoor, type DoorRefusal } from './admin-door.ts';
import { adminRefusal } from './admin-refusal.ts';
import { type AdminSession, isOwnRequest } from './admin-sessions.ts';
import type { Operator } from './admin-tokens.ts';
import type { Console, ConsoleVisit } from './console/console.ts';

export interface AdminAppDeps extends AdminDoorDeps {
  /** The address that a request comes from; undefined where nobody knows. */
  readonly addressOf: (request: Request, connection: Connection | undefined) => string | undefined;
  /** Makes the pages, with the first who asks for one. Undefined: there are none. */
  readonly console?: ((door: AdminDoor) => Promise<Console>) | undefined;
}

/** Ends what it keeps open. */
export interface AdminApp extends App {
  close(): Promise<void>;
}

/** Who asks, and by which door: a session has a browser behind it that others can make ask. */
interface Asker {
  readonly operator: Operator;
  readonly session: AdminSession | undefined;
}

const sessionPath = '/admin/session';

/** The operators' listener: every operation under `/admin`, the console, `/readyz` with details, and signing in. */
export function createAdminApp(deps: AdminAppDeps): AdminApp {
  const { operations, log } = deps;
  const door = createAdminDoor(deps);
  let pages: Promise<Console> | undefined;

  function authenticate(request: Request, host: string, network: string): Result<Asker, DoorRefusal> {
    const authorization = request.headers.get('authorization');
    if (authorization !== null) {
      const operator = door.recognise(bearer(authorization), network);
      return operator.ok ? ok({ operator: operator.value, session: undefined }) : operator;
    }
    const session = door.session(request, host);
    if (session !== undefined) return ok({ operator: session.operator, session });
    return err({ reason: 'unauthorized', waitSeconds: undefined });
  }

  async function signIn(request: Request, host: string, network: string): Promise<Response> {
    const signedIn = await door.signIn(bearer(request.headers.get('authorization') ?? ''), network);
    if (!signedIn.ok) return turnedAway(signedIn.error);
    const { id, session } = signedIn.value;
    const seconds = Math.ceil((session.expiresAt - deps.clock.now()) / 1_000);
    const response = Response.json({ ...sessionJson(session), csrf: session.csrf });
    response.headers.set('set-cookie', adminCookie(host, id, seconds));
    return response;
  }

  function signOut(request: Request, host: string): Response {
    door.signOut(request, host);
    return new Response(null, { status: 204, headers: { 'set-cookie': adminCookie(host, undefined, 0) } });
  }

  async function ready({ operator }: Asker): Promise<Response> {
    const status = operations['GET /status'];
    if (status === undefined) return adminRefusal('not_found');
    const outcome = await status.run({}, operator.name);
    const isReady = outcome.ok && outcome.value.ready === true;
    const details = outcome.ok ? outcome.value : outcome.error;
    return Response.json(details, { status: isReady ? 200 : 503 });
  }

  async function show(visit: ConsoleVisit, make: NonNullable<AdminAppDeps['console']>): Promise<Response> {
    pages ??= make(door);
    return (await pages).fetch(visit);
  }

  /** The gates, in their order. */
  async function answer(request: Request, connection: Connection | undefined): Promise<Response> {
    const { method, headers } = request;
    const url = new URL(request.url);
    const { pathname } = url;
    const host = headers.get('host');
    if (host === null || !door.isOurs(host)) return adminRefusal('host_refused');
    const isPage = deps.console !== undefined && isConsolePath(pathname, headers);
    const isOwn = isOwnPage(headers, host);
    // A link from elsewhere leads to the page for signing in, which is the same for everybody.
    if (!isOwn && !(isPage && isVisit(request))) return adminRefusal('origin_refused');
    if (url.searchParams.has('token') || url.searchParams.has('access_token'))
      return adminRefusal('token_in_query');
    const network = networkOf(deps.addressOf(request, connection) ?? 'unknown');
    if (isPage && deps.console !== undefined)
      return show({ request, url, host, network, connection, isOwn }, deps.console);
    if (method === 'POST' && pathname === sessionPath) return signIn(request, host, network);
    const asker = authenticate(request, host, network);
    if (!asker.ok) return turnedAway(asker.error);
    const { session, operator } = asker.value;
    // Reading, too: cookies know no ports, so that a neighbour on this machine may be sent this one.
    if (session !== undefined && !isOwnRequest(session, headers.get('x-cortex-csrf'))) {
      return adminRefusal('csrf_refused');
    }
    if (pathname === sessionPath && session !== undefined) {
      if (method === 'GET') return Response.json(sessionJson(session));
      if (method === 'DELETE') return signOut(request, host);
    }
    if (method === 'GET' && pathname === '/readyz') return ready(asker.value);
    const name = `${method} ${pathname.replace(/^\/admin(?=\/)/, '')}`;
    const operation = pathname.startsWith('/admin/') ? operations[name] : undefined;
    if (operation === undefined) return adminRefusal('not_found');
    const refused = await door.admit(name, operation, operator);
    return refused === undefined ? answerOperation(operation, request, operator.name) : adminRefusal(refused);
  }

  return {
    async fetch(request, connection) {
      try {
        return withHeaders(await answer(request, connection));
      } catch (error) {
        const id = randomId();
        const stack = error instanceof Error ? error.stack : undefined;
        log.error('server.fault', { id, path: 'admin', error: String(error), stack });
        return withHeaders(Response.json({ error: 'internal_error', id }, { status: 500 }));
      }
    },
    async close() {
      (await pages)?.close();
    },
  };
}

/** `/` is a page for browsers alone. */
function isConsolePath(pathname: string, headers: Headers): boolean {
  if (pathname === '/') return headers.get('accept')?.includes('text/html') === true;
  return pathname === '/console' || pathname.startsWith('/console/');
}

/** A browser says where a page comes from; what is no browser says nothing. */
function isOwnPage(headers: Headers, host: string): boolean {
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') return false;
  return origin === null || origin === `http://${host}` || origin === `https://${host}`;
}

/** Somebody follows a link in a window of their own. */
function isVisit({ method, headers }: Request): boolean {
  return (
    method === 'GET' &&
    headers.get('origin') === null &&
    headers.get('sec-fetch-mode') === 'navigate' &&
    headers.get('sec-fetch-dest') === 'document'
  );
}

function bearer(authorization: string): string | undefined {
  return /^bearer +([\x21-\x7e]{1,16384})$/i.exec(authorization)?.[1];
}

function turnedAway({ reason, waitSeconds }: DoorRefusal): Response {
  if (reason === 'unauthorized')
    return adminRefusal(reason, { 'www-authenticate': 'Bearer realm="cortex-admin"' });
  return adminRefusal(reason, waitSeconds === undefined ? {} : { 'retry-after': String(waitSeconds) });
}

function sessionJson({ operator, expiresAt }: AdminSession): JsonObject {
  return { name: operator.name, role: operator.role, expires_at: new Date(expiresAt).toISOString() };
}

/** No answer of this listener is read by another site. */
function withHeaders(response: Response): Response {
  response.headers.set('cross-origin-resource-policy', 'same-origin');
  return withSafeHeaders(response);
}
