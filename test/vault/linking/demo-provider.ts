import type { AuthorizationServerOptions } from '#demo/authorization-server/options.ts';
import { signUpHeadlessly } from '#demo/sign-up.ts';
import { systemClock } from '#kernel/clock.ts';
import { isJsonObject } from '#kernel/json.ts';
import { basic, type Demo, startDemo } from '../../demo/demo-fixture.ts';
import { closing } from './linking-kit.ts';
import { type RecordingServer, startRecorder } from './recorder.ts';

export interface DemoProvider {
  readonly demo: Demo;
  readonly issuer: RecordingServer;
  readonly server: RecordingServer;
  readonly mcpUrl: string;
  /** Lets a user of the provider sign in and consent; returns where the browser is sent. */
  consent(authorizeUrl: URL, email?: string, decision?: 'allow' | 'deny'): Promise<URL>;
}

/** The demo authorization server, and a small MCP server that takes its tokens; both on real sockets. */
export async function startDemoProvider(
  options: Partial<AuthorizationServerOptions> & {
    readonly challengeScope?: string;
    readonly documents?: boolean;
  } = {},
): Promise<DemoProvider> {
  const { challengeScope, documents = true, ...overrides } = options;
  let demo: Demo | undefined;
  const issuer = startRecorder((request, _body, address) => {
    if (demo === undefined) return new Response(null, { status: 503 });
    return demo.server.fetch(request, address);
  });
  const server = startMcpServer(issuer.origin, challengeScope);
  const mcpUrl = `${server.origin}/mcp`;
  const started = await startDemo({
    issuer: issuer.origin,
    resources: [mcpUrl],
    clock: systemClock,
    fetchDocument: documents ? fetchDocument : undefined,
    allowsLoopbackDocuments: true,
    ...overrides,
  });
  demo = started;
  closing.push(
    () => started.server.close(),
    () => issuer.close(),
    () => server.close(),
  );
  return {
    demo: started,
    issuer,
    server,
    mcpUrl,
    consent: (url, email = 'ada@notes.example', decision = 'allow') =>
      signUpHeadlessly({ authorizationUrl: url.href, email, readLink: started.inbox.readLink, decision }),
  };
}

async function fetchDocument(url: string) {
  const answer = await fetch(url);
  if (answer.status !== 200) return { ok: false as const, error: `status ${answer.status}` };
  return { ok: true as const, value: { body: await answer.json(), maxAgeSeconds: undefined } };
}

/** `tools/list` for who has a token of that issuer, a challenge for everybody else. */
function startMcpServer(issuer: string, challengeScope: string | undefined): RecordingServer {
  const server: RecordingServer = startRecorder(async (request) => {
    const { pathname, origin } = new URL(request.url);
    const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
    if (pathname === '/.well-known/oauth-protected-resource/mcp') {
      const scopes_supported = ['mcp:notes:read'];
      return Response.json({ resource: `${origin}/mcp`, authorization_servers: [issuer], scopes_supported });
    }
    if (pathname !== '/mcp') return new Response(null, { status: 404 });
    const token = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
    if (token !== undefined && (await isActive(issuer, token))) {
      return Response.json({ jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'list_notes' }] } });
    }
    const scope = challengeScope === undefined ? '' : `, scope="${challengeScope}"`;
    const challenge = `Bearer error="invalid_token", resource_metadata="${metadata}"${scope}`;
    return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } });
  });
  return server;
}

async function isActive(issuer: string, token: string): Promise<boolean> {
  const body = new URLSearchParams({ token });
  const answer = await fetch(`${issuer}/introspect`, { method: 'POST', headers: basic, body });
  const told: unknown = await answer.json();
  return isJsonObject(told) && told.active === true;
}

/** Calls the MCP server with a token, as the adapter would. */
export async function callServer(mcpUrl: string, token: string): Promise<number> {
  const answer = await fetch(mcpUrl, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  await answer.arrayBuffer();
  return answer.status;
}
