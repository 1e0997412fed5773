import type { JsonObject } from '#kernel/json.ts';
import type { Route } from './app.ts';
import type { Connection } from './connection.ts';
import { publicJson } from './cors.ts';
import type { SecurityEvents } from './security-events.ts';
import { serverCard } from './server-card.ts';

const metadataMaxAgeSeconds = 300;
const cardMaxAgeSeconds = 3_600;
const keySetMaxAgeSeconds = 300;

export interface RouteDeps {
  readonly mcp: (request: Request, keepOpen: () => void) => Response | Promise<Response>;
  /** The protected-resource metadata for a request with this raw query. */
  readonly metadata: (search: string) => JsonObject;
  readonly gateway: () => {
    readonly url: string;
    readonly name: string;
    readonly websiteUrl: string | undefined;
  };
  /** The keys that assertions to backends are verified with. */
  readonly keySet: () => JsonObject;
  readonly catalogChanged: (request: Request) => Promise<Response>;
  /** What issuers tell of by themselves. */
  readonly securityEvents: SecurityEvents;
  readonly isReady: () => boolean;
  /** `/`, for people: how a client is connected; and the style sheet of all pages. */
  readonly frontPage: (request: Request) => Promise<Response>;
  /** A refused call as a person reads it. */
  readonly explainRefusal: (refusal: Response) => Promise<Response>;
  /** The pages for people; undefined: there are none. */
  readonly people?: PeopleRoutes;
}

export interface PeopleRoutes {
  handle(request: Request, connection: Connection | undefined): Promise<Response>;
  /** What the gateway says of itself as a client, by the name of its document (without `.json`). */
  clientDocument(name: string): Promise<JsonObject | undefined>;
}

const clientDocuments = '/.well-known/oauth-client/';
const clientDocumentMaxAgeSeconds = 300;

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
  async function explained(answer: Response | Promise<Response>): Promise<Response> {
    const response = await answer;
    return response.status === 401 ? deps.explainRefusal(response) : response;
  }
  return [
    {
      path: '/mcp',
      isCalls: true,
      handle(request, connection) {
        if (!deps.isReady()) return stopping();
        const answer = deps.mcp(request, connection?.keepOpen ?? doNothing);
        return isVisit(request) ? explained(answer) : answer;
      },
    },
    { path: '/', isPage: true, handle: deps.frontPage },
    { path: '/style.css', isPage: true, handle: deps.frontPage },
    { path: '/.well-known/oauth-protected-resource', anyOrigin: true, handle: metadata },
    { path: '/.well-known/oauth-protected-resource/mcp', anyOrigin: true, handle: metadata },
    {
      path: '/.well-known/mcp/server-card.json',
      anyOrigin: true,
      handle: () => publicJson(serverCard(deps.gateway()), cardMaxAgeSeconds),
    },
    ...(deps.people === undefined ? [] : peopleRoutes(deps.people)),
    {
      path: '/.well-known/jwks.json',
      // Backends know the gateway by another name.
      anyHost: true,
      anyOrigin: true,
      handle: () => publicJson(deps.keySet(), keySetMaxAgeSeconds),
    },
    { path: '/catalog/changed', anyHost: true, handle: deps.catalogChanged },
    { path: '/ssf', handle: (request) => deps.securityEvents.push(request) },
    { path: '/backchannel-logout', handle: (request) => deps.securityEvents.logout(request) },
    { path: '/healthz', anyHost: true, handle: () => health(true) },
    { path: '/readyz', anyHost: true, handle: () => health(deps.isReady()) },
  ];
}

/** A person who opened the address of the calls in a browser: agents ask for no page. */
function isVisit({ method, headers }: Request): boolean {
  return (
    method === 'GET' && !headers.has('authorization') && headers.get('accept')?.includes('text/html') === true
  );
}

function peopleRoutes(people: PeopleRoutes): readonly Route[] {
  const clientDocument = async (request: Request) => {
    const file = new URL(request.url).pathname.slice(clientDocuments.length);
    const document = file.endsWith('.json')
      ? await people.clientDocument(file.slice(0, -'.json'.length))
      : undefined;
    return document === undefined
      ? Response.json({ error: 'not_found' }, { status: 404 })
      : publicJson(document, clientDocumentMaxAgeSeconds);
  };
  const paths = ['/link', '/link/', '/sign-in', '/sign-in/callback', '/sign-out'];
  return [
    { path: clientDocuments, anyOrigin: true, handle: clientDocument },
    ...paths.map((path): Route => ({ path, isPage: true, handle: people.handle })),
  ];
}
