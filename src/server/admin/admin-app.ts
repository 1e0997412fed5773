import { randomBytes } from 'node:crypto';
import type { Limiter } from '#cluster/limiter.ts';
import type { Clock } from '#kernel/clock.ts';
import { randomId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { answerOperation } from '../answer-operation.ts';
import type { App } from '../app.ts';
import type { Connection } from '../connection.ts';
import { createNameGate } from '../host-gate.ts';
import { networkOf } from '../network-of.ts';
import type { Operation, Operations, OperatorRole } from '../operation.ts';
import { withSafeHeaders } from '../safe-headers.ts';
import { adminCookie, readAdminCookie } from './admin-cookie.ts';
import { adminRefusal } from './admin-refusal.ts';
import { type AdminSession, createAdminSessions, isOwnRequest } from './admin-sessions.ts';
import { type AdminTokenSettings, createAdminTokens, type Operator } from './admin-tokens.ts';

/** Replaced whole by a reload. */
export interface AdminSettings {
  readonly listen: { readonly host: string } | undefined;
  readonly hosts: readonly string[];
  readonly tokens: ReadonlyMap<string, AdminTokenSettings>;
}

export interface AdminAppDeps {
  readonly settings: () => AdminSettings;
  readonly operations: Operations;
  /** The address that a request comes from; undefined where nobody knows. */
  readonly addressOf: (request: Request, connection: Connection | undefined) => string | undefined;
  /** Of its own: strangers fill it. */
  readonly failures: Limiter;
  /** Whether the audit admits an act now. */
  readonly mayRecord: () => boolean;
  readonly act: (fields: JsonObject) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Who asks, and by which door: a session has a browser behind it that others can make ask. */
interface Asker {
  readonly operator: Operator;
  readonly session: AdminSession | undefined;
}

const rank: Readonly<Record<OperatorRole, number>> = { read: 0, operate: 1, reveal: 2 };
const sessionPath = '/admin/session';

/** The operators' listener: every operation under `/admin`, `/readyz` with details, and signing in for browsers. */
export function createAdminApp(deps: AdminAppDeps): App {
  const { operations, failures, clock, log } = deps;
  const key = randomBytes(32);
  const sessions = createAdminSessions(clock);
  let settled = settle(deps.settings());

  function settle(settings: AdminSettings) {
    const host = settings.listen?.host;
    const isOurs = createNameGate(host === undefined ? settings.hosts : [...settings.hosts, host]);
    return { settings, isOurs, tokens: createAdminTokens(settings.tokens, key) };
  }

  function current() {
    const settings = deps.settings();
    if (settings !== settled.settings) settled = settle(settings);
    return settled;
  }

  /** Wrong tokens of one network are few a minute; beyond that no token of it is looked at. */
  function recognise(given: string, network: string): Operator | Response {
    const wait = failures.peek(network, limits.adminFailuresPerMinute);
    if (wait > 0) return adminRefusal('rate_limited', { 'retry-after': String(wait) });
    const operator = current().tokens.find(given);
    if (operator !== undefined) return operator;
    failures.take(network, limits.adminFailuresPerMinute);
    log.warn('admin.token_refused', { network });
    return unauthorized();
  }

  function authenticate(request: Request, host: string, network: string): Asker | Response {
    const authorization = request.headers.get('authorization');
    if (authorization !== null) {
      const given = bearer(authorization);
      const operator = given === undefined ? unauthorized() : recognise(given, network);
      return operator instanceof Response ? operator : { operator, session: undefined };
    }
    const id = readAdminCookie(request, host);
    const session = id === undefined ? undefined : sessions.find(id, current().tokens);
    return session === undefined ? unauthorized() : { operator: session.operator, session };
  }

  async function signIn(request: Request, host: string, network: string): Promise<Response> {
    const given = bearer(request.headers.get('authorization') ?? '');
    const operator = given === undefined ? unauthorized() : recognise(given, network);
    if (operator instanceof Response) return operator;
    if (!(await deps.act({ action: 'admin.sign_in', actor: operator.name })))
      return adminRefusal('not_recordable');
    const { id, session } = sessions.open(operator);
    const seconds = Math.ceil((session.expiresAt - clock.now()) / 1_000);
    const response = Response.json({ ...sessionJson(session), csrf: session.csrf });
    response.headers.set('set-cookie', adminCookie(host, id, seconds));
    return response;
  }

  function signOut(request: Request, host: string): Response {
    const id = readAdminCookie(request, host);
    if (id !== undefined) sessions.end(id);
    return new Response(null, { status: 204, headers: { 'set-cookie': adminCookie(host, undefined, 0) } });
  }

  async function operate(
    name: string,
    operation: Operation,
    asker: Asker,
    request: Request,
  ): Promise<Response> {
    const { operator } = asker;
    if (rank[operator.role] < rank[operation.role]) {
      await deps.act({ action: 'admin.refused', actor: operator.name, operation: name, role: operator.role });
      return adminRefusal('role_refused');
    }
    if (operation.role !== 'read' && !deps.mayRecord()) return adminRefusal('not_recordable');
    return answerOperation(operation, request, operator.name);
  }

  async function ready(asker: Asker): Promise<Response> {
    const status = operations['GET /status'];
    if (status === undefined) return adminRefusal('not_found');
    const outcome = await status.run({}, asker.operator.name);
    const isReady = outcome.ok && outcome.value.ready === true;
    const details = outcome.ok ? outcome.value : outcome.error;
    return Response.json(details, { status: isReady ? 200 : 503 });
  }

  /** The gates, in their order. */
  async function answer(request: Request, connection: Connection | undefined): Promise<Response> {
    const { method, headers } = request;
    const url = new URL(request.url);
    const host = headers.get('host');
    if (host === null || !current().isOurs(host)) return adminRefusal('host_refused');
    if (!isOwnPage(headers, host)) return adminRefusal('origin_refused');
    if (url.searchParams.has('token') || url.searchParams.has('access_token'))
      return adminRefusal('token_in_query');
    const network = networkOf(deps.addressOf(request, connection) ?? 'unknown');
    if (method === 'POST' && url.pathname === sessionPath) return signIn(request, host, network);
    const asker = authenticate(request, host, network);
    if (asker instanceof Response) return asker;
    const { session } = asker;
    // Reading, too: cookies know no ports, so that a neighbour on this machine may be sent this one.
    if (session !== undefined && !isOwnRequest(session, headers.get('x-cortex-csrf'))) {
      return adminRefusal('csrf_refused');
    }
    if (url.pathname === sessionPath && session !== undefined) {
      if (method === 'GET') return Response.json(sessionJson(session));
      if (method === 'DELETE') return signOut(request, host);
    }
    if (method === 'GET' && url.pathname === '/readyz') return ready(asker);
    const name = `${method} ${url.pathname.replace(/^\/admin(?=\/)/, '')}`;
    const operation = url.pathname.startsWith('/admin/') ? operations[name] : undefined;
    return operation === undefined ? adminRefusal('not_found') : operate(name, operation, asker, request);
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
  };
}

/** A browser says where a page comes from; what is no browser says nothing. */
function isOwnPage(headers: Headers, host: string): boolean {
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') return false;
  return origin === null || origin === `http://${host}` || origin === `https://${host}`;
}

function bearer(authorization: string): string | undefined {
  return /^bearer +([\x21-\x7e]{1,16384})$/i.exec(authorization)?.[1];
}

function unauthorized(): Response {
  return adminRefusal('unauthorized', {
    'www-authenticate': 'Bearer realm="cortex-admin"',
  });
}

function sessionJson({ operator, expiresAt }: AdminSession): JsonObject {
  return { name: operator.name, role: operator.role, expires_at: new Date(expiresAt).toISOString() };
}

/** No answer of this listener is read by another site. */
function withHeaders(response: Response): Response {
  response.headers.set('cross-origin-resource-policy', 'same-origin');
  return withSafeHeaders(response);
}
