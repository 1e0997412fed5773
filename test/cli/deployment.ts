import { join } from 'node:path';
import { listen } from '#server/listener.ts';
import { makeKey, type SigningKey, sign } from '../auth/key-server.ts';
import { createCapturingBackend } from '../support/capturing-backend.ts';
import { writeConfig } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { startNginx } from '../support/nginx.ts';
import { type RunningGateway, runGateway } from '../support/running-gateway.ts';
import { createTempFolder } from '../support/temp-folder.ts';

type Document = Readonly<Record<string, unknown>>;

/** What one of the twelve is broken by; everything else is as it should be. */
export interface Fault {
  /** Inside of the location that passes everything on, after the good lines. */
  readonly location?: string;
  /** In place of the good lines. */
  readonly lines?: string;
  /** Beside that location. */
  readonly server?: (url: string) => string;
  /** What the gateway's configuration says of the issuer, besides where it is. */
  readonly issuer?: Document;
  /** Over the issuer's metadata. */
  readonly metadata?: Document;
  readonly keys?: (key: SigningKey) => readonly unknown[];
  /** Seconds by which the issuer's clock is ahead. */
  readonly aheadSeconds?: number;
  readonly origins?: readonly string[];
  /** Over the claims of the token. */
  readonly claims?: Document;
  readonly isBackendDown?: true;
  readonly isGatewayDown?: true;
  /** Nothing stands before the gateway. */
  readonly isDirect?: true;
  /** Of the notes application. */
  readonly technicalToken?: string;
}

/** A gateway behind a real nginx, with an issuer, an application and a token. */
export interface Deployment extends AsyncDisposable {
  readonly url: string;
  readonly issuer: string;
  readonly config: string;
  readonly token: string;
  readonly gateway: RunningGateway;
}

const maxBodyBytes = 4 * 1024 * 1024;

export const goodLines = `proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Host $http_host;
proxy_buffering off;
proxy_read_timeout 1h;`;

export async function deploy(fault: Fault = {}): Promise<Deployment> {
  const owned = new AsyncDisposableStack();
  const folder = owned.use(await createTempFolder());
  const key = await makeKey('RS256', 'k1');
  const port = freePort();
  const url = `http://127.0.0.1:${port}/mcp`;
  const issuer = startIssuer(fault, key);
  owned.defer(() => issuer.stop());
  const notes = owned.use(
    createCapturingBackend({
      tools: [{ name: 'list', scope: 'notes:read', description: 'Lists notes.' }],
    }),
  );
  const sections = {
    gateway: { url, listen: '127.0.0.1:0', origins: fault.origins ?? ['https://claude.ai'] },
    auth: { issuers: [{ url: issuer.url, ...fault.issuer }], challenge_scopes: ['notes:read'] },
    backends: {
      notes: {
        url: fault.isBackendDown ? `http://127.0.0.1:${freePort()}` : notes.url,
        technical_token: fault.technicalToken ?? 'technical-token',
      },
    },
  };
  const gateway = owned.use(await runGateway({ config: sections }));
  if (fault.isDirect) {
    const listener = listen(gateway.gateway, { host: '127.0.0.1', port }, maxBodyBytes);
    owned.defer(() => listener.close());
  } else {
    const upstream = fault.isGatewayDown ? `http://127.0.0.1:${freePort()}` : gateway.listen();
    const server = `server { listen 127.0.0.1:${port};
      location / { proxy_pass ${upstream}; ${fault.lines ?? goodLines} ${fault.location ?? ''} }
      ${fault.server?.(url) ?? ''} }`;
    owned.use(await startNginx(join(folder.path, 'nginx'), port, server));
  }
  const now = Math.floor(Date.now() / 1_000) + (fault.aheadSeconds ?? 0);
  const claims = { iss: issuer.url, sub: 'ada', aud: url, client_id: 'c', iat: now, exp: now + 600 };
  return {
    url,
    issuer: issuer.url,
    gateway,
    config: await writeConfig(folder.path, sections),
    token: await sign(key, { ...claims, scope: 'notes:read', ...fault.claims }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function startIssuer({ metadata, keys, aheadSeconds = 0 }: Fault, key: SigningKey) {
  const server: Bun.Server<undefined> = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request): Response {
      const { pathname } = new URL(request.url);
      const document =
        pathname === '/.well-known/oauth-authorization-server'
          ? { ...sound(url), ...metadata }
          : pathname === '/keys'
            ? { keys: keys?.(key) ?? [key.jwk] }
            : undefined;
      const date = new Date(Date.now() + aheadSeconds * 1_000).toUTCString();
      return document === undefined
        ? new Response('none', { status: 404 })
        : Response.json(document, { headers: { date } });
    },
  });
  const url: string = `http://127.0.0.1:${server.port}`;
  return { url, stop: () => server.stop(true) };
}

const sound = (url: string): Document => ({
  issuer: url,
  authorization_endpoint: `${url}/authorize`,
  token_endpoint: `${url}/token`,
  registration_endpoint: `${url}/register`,
  jwks_uri: `${url}/keys`,
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none'],
  scopes_supported: ['notes:read'],
});
