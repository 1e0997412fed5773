import type { Limiter } from '#cluster/limiter.ts';
import { randomId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import type { Connection } from './connection.ts';
import { exposeTo, preflight } from './cors.ts';
import { networkOf } from './network-of.ts';
import { withSafeHeaders } from './safe-headers.ts';

/** One entry of the table of routes. */
export interface Route {
  /** One that ends in `/`, but for `/` itself, stands for everything below it that has no entry of its own. */
  readonly path: string;
  /** Called by another name or by address: health checks, and backends that show their own token. */
  readonly anyHost?: true;
  /** Answers a browser of any origin: public documents. */
  readonly anyOrigin?: true;
  /** Its answers of 200 bring the headers that matter: the calls, whose answers are made in one piece. */
  readonly isCalls?: true;
  /** Pages judge themselves which origin a form may come from, and no script of another may read them. */
  readonly isPage?: true;
  handle(request: Request, connection: Connection | undefined): Response | Promise<Response>;
}

/** What the doors let pass; replaced whole when the configuration changes. */
export interface Doors {
  readonly isOurHost: (host: string | null) => boolean;
  readonly isAllowedOrigin: (origin: string) => boolean;
  /** Undefined: every header may pass, and none is looked at. */
  readonly areHeadersAllowed: ((headers: Headers) => boolean) | undefined;
  readonly clientAddress: (peer: string | undefined, headers: Headers) => string | undefined;
}

/** The inbound side: the gates in their order, then the one route. */
export interface App {
  fetch(request: Request, connection?: Connection): Response | Promise<Response>;
}

export function createApp(deps: {
  readonly routes: readonly Route[];
  readonly doors: () => Doors;
  /** Of its own: strangers fill it, and must not push anybody else's count out. */
  readonly refusals: Limiter;
  readonly log: Log;
}): App {
  const byPath = new Map(deps.routes.map((route) => [route.path, route]));
  const folders = deps.routes.filter(({ path }) => path.length > 1 && path.endsWith('/'));
  const routeAt = (path: string) => byPath.get(path) ?? folders.find((route) => path.startsWith(route.path));

  /** A flood of refused tokens from one network is slowed down; whoever signs in properly is never in its way. */
  function slowRefusals(response: Response, request: Request, connection: Connection | undefined): Response {
    if (response.status !== 401) return response;
    const address = deps.doors().clientAddress(connection?.address(), request.headers);
    if (address === undefined) return response;
    const waitSeconds = deps.refusals.take(networkOf(address), limits.refusalsPerMinute);
    if (waitSeconds === 0) return response;
    return Response.json(
      { error: 'rate_limited' },
      { status: 429, headers: { 'retry-after': String(waitSeconds), 'cache-control': 'no-store' } },
    );
  }

  async function answer(
    route: Route,
    request: Request,
    connection: Connection | undefined,
  ): Promise<Response> {
    try {
      const response = await route.handle(request, connection);
      if (route.isCalls && response.status === 200) return response;
      return withSafeHeaders(slowRefusals(response, request, connection));
    } catch (error) {
      const id = randomId();
      const stack = error instanceof Error ? error.stack : undefined;
      deps.log.error('server.fault', { id, path: route.path, error: String(error), stack });
      return withSafeHeaders(Response.json({ error: 'internal_error', id }, { status: 500 }));
    }
  }

  return {
    fetch(request, connection) {
      const route = routeAt(pathOf(request.url));
      const doors = deps.doors();
      if (route?.anyHost !== true && !doors.isOurHost(request.headers.get('host'))) {
        return refused('host_refused', 403);
      }
      if (doors.areHeadersAllowed?.(request.headers) === false) {
        return refused('headers_refused', 403);
      }
      const origin = request.headers.get('origin');
      if (origin === null || route?.anyOrigin === true || route?.isPage === true) {
        if (route === undefined) return refused('not_found', 404);
        if (request.method === 'OPTIONS' && route.anyOrigin) {
          return withSafeHeaders(preflight('*', request.headers.get('access-control-request-headers')));
        }
        return answer(route, request, connection);
      }
      if (!doors.isAllowedOrigin(origin)) return refused('origin_refused', 403);
      if (request.method === 'OPTIONS') {
        return withSafeHeaders(preflight(origin, request.headers.get('access-control-request-headers')));
      }
      if (route === undefined) return exposeTo(origin, refused('not_found', 404));
      return answer(route, request, connection).then((response) => exposeTo(origin, response));
    },
  };
}

function refused(error: string, status: number): Response {
  return withSafeHeaders(Response.json({ error }, { status }));
}

/** The path of a request URL, without parsing the rest. */
function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  if (start === -1) return '/';
  const end = url.indexOf('?', start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}
