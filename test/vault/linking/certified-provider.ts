import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { createHeadlessBrowser, type Visit } from '#demo/headless-browser.ts';
import { isJsonObject, type JsonObject } from '#kernel/json.ts';
import { freePort } from '../../support/free-port.ts';
import { closing } from './linking-kit.ts';
import { type RecordingServer, startRecorder } from './recorder.ts';

export interface CertifiedProvider {
  readonly issuer: string;
  readonly server: RecordingServer;
  readonly mcpUrl: string;
  /** What its own endpoints were asked, as `METHOD path`. */
  readonly requests: readonly string[];
  /** Signs in as that user and consents; returns where the browser is sent. */
  consent(authorizeUrl: URL, login?: string): Promise<URL>;
}

export interface CertifiedOptions {
  readonly documents?: (url: string) => JsonObject | undefined;
  readonly clients?: readonly object[];
  readonly scopes?: readonly string[];
}

/** oidc-provider, a certified implementation that shares no code with ours, in front of a small MCP server. */
export async function startCertifiedProvider(options: CertifiedOptions = {}): Promise<CertifiedProvider> {
  const port = freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const requests: string[] = [];
  const scopes = options.scopes ?? ['openid', 'email', 'offline_access', 'notes:read', 'notes:write'];
  const server = startRecorder(async (request) => {
    const { pathname, origin } = new URL(request.url);
    if (pathname === '/.well-known/oauth-protected-resource/mcp') {
      const scopes_supported = ['openid', 'email', 'notes:read'];
      return Response.json({ resource: `${origin}/mcp`, authorization_servers: [issuer], scopes_supported });
    }
    if (pathname !== '/mcp') return new Response(null, { status: 404 });
    const token = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
    if (token !== undefined && (await isFor(issuer, token, `${origin}/mcp`))) {
      return Response.json({ jsonrpc: '2.0', id: 1, result: { tools: [] } });
    }
    return new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer' } });
  });
  const mcpUrl = `${server.origin}/mcp`;
  const provider = await createProvider(issuer, mcpUrl, scopes, options);
  const handle = provider.callback();
  const listening = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`);
    handle(request, response);
  });
  await new Promise<void>((resolve) => listening.listen(port, '127.0.0.1', resolve));
  closing.push(
    () => server.close(),
    () => listening.close(),
  );
  return { issuer, server, mcpUrl, requests, consent };
}

async function createProvider(
  issuer: string,
  mcpUrl: string,
  scopes: readonly string[],
  { documents, clients = [] }: CertifiedOptions,
): Promise<Provider> {
  const key = {
    ...(await exportJWK((await generateKeyPair('RS256', { extractable: true })).privateKey)),
    alg: 'RS256',
    use: 'sig',
  };
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'the-server',
        client_secret: 'the-server-secret',
        grant_types: [],
        redirect_uris: [],
        response_types: [],
      },
      ...clients,
    ],
    scopes,
    claims: { openid: ['sub'], email: ['email'] },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@certified.example` }),
    }),
    jwks: { keys: [key] },
    cookies: { keys: ['for this test alone'] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 600,
      RefreshToken: 3_600,
      IdToken: 600,
      Session: 600,
      Interaction: 600,
      Grant: 3_600,
    },
    features: {
      devInteractions: { enabled: true },
      registration: { enabled: documents === undefined },
      clientIdMetadataDocument: { enabled: documents !== undefined, ack: 'draft-02' },
      revocation: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => mcpUrl,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'notes:read notes:write',
          audience: mcpUrl,
          accessTokenFormat: 'opaque',
        }),
      },
    },
    fetch: async (url: string | URL) => {
      const document = documents?.(String(url));
      return document === undefined ? new Response(null, { status: 404 }) : Response.json(document);
    },
  });
}

async function isFor(issuer: string, token: string, audience: string): Promise<boolean> {
  const answer = await fetch(`${issuer}/token/introspection`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('the-server:the-server-secret')}` },
    body: new URLSearchParams({ token }),
  });
  const told: unknown = await answer.json();
  return isJsonObject(told) && told.active === true && told.aud === audience;
}

async function consent(authorizeUrl: URL, login = 'ada'): Promise<URL> {
  const browser = createHeadlessBrowser();
  let visit: Visit = await browser.open(authorizeUrl.href);
  for (let step = 0; step < 3 && visit.kind === 'page'; step += 1) {
    const action = /<form[^>]*action="([^"]*)"/.exec(visit.page.html)?.[1];
    if (action === undefined) throw new Error(`${visit.page.status}: ${visit.page.html.slice(0, 2_000)}`);
    visit = await browser.submit(visit.page, action, { login, password: 'x' });
  }
  if (visit.kind === 'page') throw new Error(`Still on ${visit.page.url}`);
  return new URL(visit.location);
}
