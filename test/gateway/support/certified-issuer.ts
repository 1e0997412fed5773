import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import { Provider } from 'oidc-provider';
import { createHeadlessBrowser, type Visit } from '#demo/headless-browser.ts';
import { freePort } from '../../support/free-port.ts';

/** What clients are called there; each gets its kind of access token. */
export type TokenFormat = 'jwt' | 'opaque';

export interface CertifiedTokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
}

/** oidc-provider, which shares no code with ours, as the issuer of the gateway's tokens. */
export interface CertifiedIssuer extends AsyncDisposable {
  readonly url: string;
  readonly introspectionUrl: string;
  /** What it was asked, as `METHOD path`. */
  readonly requests: string[];
  /** Each answer waits for so long; at `Infinity` none comes. */
  readonly state: { delayMs: number };
  /** Signs a person in and agrees; with `proofs` the tokens are bound to their key. */
  signIn(format: TokenFormat, proofs?: oauth.DPoPHandle): Promise<CertifiedTokens>;
  /** A machine's own token. */
  machineToken(format: TokenFormat, proofs?: oauth.DPoPHandle): Promise<string>;
  revoke(format: TokenFormat, token: string): Promise<void>;
}

/** As whom the gateway asks about tokens. */
export const resourceServer = { client_id: 'the-gateway', client_secret: 'the-gateway-secret' } as const;
const insecure = { [oauth.allowInsecureRequests]: true } as const;
const redirectUri = 'http://127.0.0.1:1/callback';

export async function startCertifiedIssuer(resource: string, scope: string): Promise<CertifiedIssuer> {
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;
  const requests: string[] = [];
  const state = { delayMs: 0 };
  const provider = await createProvider(url, resource, scope);
  const handle = provider.callback();
  const listening = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`);
    if (state.delayMs === 0) handle(request, response);
    else if (Number.isFinite(state.delayMs)) setTimeout(() => handle(request, response), state.delayMs);
  });
  await new Promise<void>((resolve) => listening.listen(port, '127.0.0.1', resolve));
  const server = await discover(url);
  const clientOf = (format: TokenFormat) => ({ client_id: format });
  const authOf = (format: TokenFormat) => oauth.ClientSecretPost(`${format}-secret`);

  return {
    url,
    introspectionUrl: `${url}/token/introspection`,
    requests,
    state,
    async signIn(format, proofs) {
      const client = clientOf(format);
      const verifier = oauth.generateRandomCodeVerifier();
      const page = new URL(server.authorization_endpoint ?? '');
      page.search = new URLSearchParams({
        client_id: format,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: `openid offline_access ${scope}`,
        prompt: 'consent',
        resource,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }).toString();
      const callback = oauth.validateAuthResponse(server, client, await consent(page), oauth.expectNoState);
      return retried(async () => {
        const answer = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          authOf(format),
          callback,
          redirectUri,
          verifier,
          { ...insecure, ...(proofs && { DPoP: proofs }), additionalParameters: { resource } },
        );
        const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer);
        return { accessToken: tokens.access_token, refreshToken: tokens.refresh_token };
      });
    },
    machineToken(format, proofs) {
      return retried(async () => {
        const answer = await oauth.clientCredentialsGrantRequest(
          server,
          clientOf(format),
          authOf(format),
          { scope, resource },
          { ...insecure, ...(proofs && { DPoP: proofs }) },
        );
        return (await oauth.processClientCredentialsResponse(server, clientOf(format), answer)).access_token;
      });
    },
    async revoke(format, token) {
      const answer = await oauth.revocationRequest(server, clientOf(format), authOf(format), token, insecure);
      await oauth.processRevocationResponse(answer);
    },
    async [Symbol.asyncDispose]() {
      listening.closeAllConnections();
      await new Promise((resolve) => listening.close(resolve));
    },
  };
}

/** Once more with the nonce that the first answer brought. */
export async function retried<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return send();
  }
}

async function discover(url: string): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(url);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
}

async function createProvider(issuer: string, resource: string, scope: string): Promise<Provider> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' };
  const clients = ['jwt', 'opaque'].map((format) => ({
    client_id: format,
    client_secret: `${format}-secret`,
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirect_uris: [redirectUri],
    response_types: ['code'],
  }));
  const machine = { grant_types: [], redirect_uris: [], response_types: [] };
  return new Provider(issuer, {
    clients: [...clients, { ...resourceServer, ...machine }],
    scopes: ['openid', 'offline_access', ...scope.split(' ')],
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    jwks: { keys: [key] },
    cookies: { keys: ['for this test alone'] },
    pkce: { required: () => true },
    ttl: {
      AccessToken: 600,
      ClientCredentials: 600,
      RefreshToken: 3_600,
      IdToken: 600,
      Session: 600,
      Interaction: 600,
      Grant: 3_600,
    },
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 1), requireNonce: () => true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (
          _context: unknown,
          _resource: string,
          { clientId }: { clientId: string },
        ) => ({
          scope,
          audience: resource,
          accessTokenFormat: clientId,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
}

async function consent(page: URL): Promise<URL> {
  const browser = createHeadlessBrowser();
  let visit: Visit = await browser.open(page.href);
  for (let step = 0; step < 3 && visit.kind === 'page'; step += 1) {
    const action = /<form[^>]*action="([^"]*)"/.exec(visit.page.html)?.[1];
    if (action === undefined) throw new Error(`${visit.page.status}: ${visit.page.html.slice(0, 2_000)}`);
    visit = await browser.submit(visit.page, action, { login: 'ada', password: 'x' });
  }
  if (visit.kind === 'page') throw new Error(`Still on ${visit.page.url}`);
  return new URL(visit.location);
}
