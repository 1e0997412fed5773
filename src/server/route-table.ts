import type { JsonObject } from '#kernel/json.ts';
import type { Route } from './app.ts';
import { publicJson } from './cors.ts';
import { serverCard } from './server-card.ts';

const metadataMaxAgeSeconds = 300;
const cardMaxAgeSeconds = 3_600;

export interface RouteDeps {
  readonly mcp: (request: Request, keepOpen: () => void) => Response | Promise<Response>;
  /** The protected-resource metadata for a request with this raw query. */
  readonly metadata: (search: string) => JsonObject;
  readonly gateway: () => {
    readonly url: string;
    readonly name: string;
    readonly websiteUrl: string | undefined;
  };
  readonly catalogChanged: (request: Request) => Promise<Response>;
  readonly isReady: () => boolean;
}

const doNothing = () => {};

function stopping(): Response {
  return Response.json({ error: 'stopping' }, { status: 503, headers: { 'retry-after': '2' } });
}

function health(isUp: boolean): Response {
  return new Response(isUp ? 'ok\n' : 'stopping\n', {
    status: isUp ? 200 : 503,
    headers: { 'content-type': 'text/plain', 'cache-control': 'no-store' },
  });
}

/** Every path of the public listener. What is unauthenticated here names no backend, tool, count or version. */
export function routeTable(deps: RouteDeps): readonly Route[] {
  const metadata = (request: Request) =>
    publicJson(deps.metadata(new URL(request.url).search), metadataMaxAgeSeconds);
  return [
    {
      path: '/mcp',
      handle: (request, connection) =>
        deps.isReady() ? deps.mcp(request, connection?.keepOpen ?? doNothing) : stopping(),
    },
    { path: '/.well-known/oauth-protected-resource', anyOrigin: true, handle: metadata },
    { path: '/.well-known/oauth-protected-resource/mcp', anyOrigin: true, handle: metadata },
    {
      path: '/.well-known/mcp/server-card.json',
      anyOrigin: true,
      handle: () => publicJson(serverCard(deps.gateway()), cardMaxAgeSeconds),
    },
    { path: '/catalog/changed', anyHost: true, handle: deps.catalogChanged },
    { path: '/healthz', anyHost: true, handle: () => health(true) },
    { path: '/readyz', anyHost: true, handle: () => health(deps.isReady()) },
  ];
}
