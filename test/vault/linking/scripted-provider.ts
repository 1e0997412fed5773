import { closing } from './linking-kit.ts';
import { type RecordingServer, startRecorder } from './recorder.ts';

export type Answer =
  | Response
  | object
  | string
  | ((request: Request, body: string) => Response | Promise<Response>);

export interface Scripted extends RecordingServer {
  readonly mcpUrl: string;
  /** Path -> what is answered there; everything else is 404. May be changed at any time. */
  readonly pages: Map<string, Answer>;
}

/** One origin that is an MCP server and its authorization server, and says just what the test wants. */
export function startScripted(
  pages: (origin: string) => Readonly<Record<string, Answer>> = () => ({}),
): Scripted {
  const table = new Map<string, Answer>();
  const server = startRecorder((request, body) =>
    answerOf(table.get(new URL(request.url).pathname), request, body),
  );
  closing.push(() => server.close());
  const { origin } = server;
  const usual = {
    '/mcp': challenge(`Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`),
    '/.well-known/oauth-protected-resource/mcp': {
      resource: `${origin}/mcp`,
      authorization_servers: [origin],
    },
    '/.well-known/oauth-authorization-server': metadataOf(origin),
    '/register': registered(),
    '/token': {
      access_token: 'access-1',
      token_type: 'Bearer',
      expires_in: 3_600,
      refresh_token: 'refresh-1',
    },
  };
  for (const [path, answer] of Object.entries({ ...usual, ...pages(origin) })) table.set(path, answer);
  return Object.assign(server, { mcpUrl: `${origin}/mcp`, pages: table });
}

function answerOf(answer: Answer | undefined, request: Request, body: string): Response | Promise<Response> {
  if (answer === undefined) return new Response('nothing here', { status: 404 });
  if (answer instanceof Response) return answer.clone();
  if (typeof answer === 'function') return answer(request, body);
  return typeof answer === 'string' ? new Response(answer) : Response.json(answer);
}

export function challenge(header: string, status = 401): Response {
  return new Response(null, { status, headers: { 'www-authenticate': header } });
}

export function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location } });
}

export function metadataOf(issuer: string, changes: Readonly<Record<string, unknown>> = {}): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    revocation_endpoint: `${issuer}/revoke`,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    ...changes,
  };
}

/** A registration that takes what it is given. */
export function registered(changes: Readonly<Record<string, unknown>> = {}): Answer {
  return (_request, body) =>
    Response.json(
      { ...JSON.parse(body), client_id: 'registered', client_secret: 'its-secret', ...changes },
      { status: 201 },
    );
}

/** What the provider's page would send the browser back with. */
export function answerTo(page: URL, parameters: Readonly<Record<string, string>> = {}): URL {
  const url = new URL(page.searchParams.get('redirect_uri') ?? '');
  const state = page.searchParams.get('state') ?? '';
  for (const [name, value] of Object.entries({ code: 'code-1', state, ...parameters }))
    url.searchParams.set(name, value);
  return url;
}
