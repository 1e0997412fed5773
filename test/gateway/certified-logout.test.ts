import { createServer, type Server } from 'node:http';
import { decodeJwt, exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import { Provider } from 'oidc-provider';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHeadlessBrowser, type HeadlessBrowser, type Visit } from '#demo/headless-browser.ts';
import { freePort } from '../support/free-port.ts';
import { createCaller, type McpCaller } from '../support/mcp-caller.ts';
import { canonicalUrl, type RunningGateway, runGateway } from '../support/running-gateway.ts';

const scope = 'mcp:test';
const redirectUri = 'http://127.0.0.1:1/callback';
const insecure = { [oauth.allowInsecureRequests]: true } as const;

/** oidc-provider, which shares no code with ours, tells the gateway when people sign out there. */
let url: string;
let listening: Server;
let running: RunningGateway;
let logoutTokens: string[];

beforeEach(async () => {
  const port = freePort();
  url = `http://127.0.0.1:${port}`;
  logoutTokens = [];
  const handle = (await createProvider()).callback();
  listening = createServer(handle);
  await new Promise<void>((resolve) => listening.listen(port, '127.0.0.1', resolve));
  running = await runGateway({
    config: {
      auth: {
        issuers: [{ url, backchannel_logout: ['by-session', 'by-user'] }],
        challenge_scopes: [scope],
      },
    },
    backends: { notes: { tools: [{ name: 'open', scope }] } },
  });
});
afterEach(async () => {
  await running.close();
  listening.closeAllConnections();
  await new Promise((resolve) => listening.close(resolve));
});

/** Clients that are told of a logout by session and user, and by the user alone. */
async function createProvider(): Promise<Provider> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const clients = ['by-session', 'by-user'].map((id) => ({
    client_id: id,
    client_secret: 'a-secret',
    token_endpoint_auth_method: 'client_secret_post',
    redirect_uris: [redirectUri],
    backchannel_logout_uri: 'http://127.0.0.1:3213/backchannel-logout',
    backchannel_logout_session_required: id === 'by-session',
  }));
  return new Provider(url, {
    clients,
    scopes: ['openid', scope],
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' }] },
    cookies: { keys: ['for this test alone'] },
    pkce: { required: () => true },
    ttl: { AccessToken: 600, IdToken: 600, Session: 600, Interaction: 600, Grant: 3_600 },
    extraTokenClaims: (context: { oidc: { entities: { AuthorizationCode?: { sid?: string } } } }) => ({
      sid: context.oidc.entities.AuthorizationCode?.sid,
    }),
    async fetch(to: URL, init: RequestInit & { readonly body: URLSearchParams }) {
      logoutTokens.push(String(init.body.get('logout_token')));
      const { method, headers, body } = init;
      return running.gateway.fetch(
        new Request(to, { method: method ?? 'GET', headers: headers ?? {}, body }),
      );
    },
    features: {
      devInteractions: { enabled: true },
      backchannelLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope,
          audience: canonicalUrl,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
}

async function signIn(client: string, login: string, browser: HeadlessBrowser): Promise<McpCaller> {
  const server = await oauth.processDiscoveryResponse(
    new URL(url),
    await oauth.discoveryRequest(new URL(url), insecure),
  );
  const verifier = oauth.generateRandomCodeVerifier();
  const page = new URL(server.authorization_endpoint ?? '');
  page.search = new URLSearchParams({
    client_id: client,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: `openid ${scope}`,
    resource: canonicalUrl,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }).toString();
  let visit: Visit = await browser.open(page.href);
  for (let step = 0; step < 3 && visit.kind === 'page'; step += 1) {
    const action = /<form[^>]*action="([^"]*)"/.exec(visit.page.html)?.[1];
    if (action === undefined) throw new Error(`${visit.page.status}: ${visit.page.html.slice(0, 2_000)}`);
    visit = await browser.submit(visit.page, action, { login, password: 'x' });
  }
  if (visit.kind === 'page') throw new Error(`still on ${visit.page.url}`);
  const callback = oauth.validateAuthResponse(
    server,
    { client_id: client },
    new URL(visit.location),
    oauth.expectNoState,
  );
  const answer = await oauth.authorizationCodeGrantRequest(
    server,
    { client_id: client },
    oauth.ClientSecretPost('a-secret'),
    callback,
    redirectUri,
    verifier,
    { ...insecure, additionalParameters: { resource: canonicalUrl } },
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, { client_id: client }, answer);
  return createCaller(tokens.access_token, async (request) => running.gateway.fetch(request));
}

/** Presses "sign me out" on the provider's own page. */
async function signOut(browser: HeadlessBrowser): Promise<void> {
  const visit = await browser.open(`${url}/session/end`);
  const html = visit.kind === 'page' ? visit.page.html : '';
  const action = /<form[^>]*action="([^"]*)"/.exec(html)?.[1] ?? '';
  if (visit.kind === 'page') await browser.submit(visit.page, action, { logout: 'yes' });
}
const statusOf = async (caller: McpCaller) => (await caller.tool('notes_open')).status;

describe('who signs out at oidc-provider', () => {
  test('is refused by the gateway from then on, in that session alone where the provider names it', async () => {
    const [here, there] = [createHeadlessBrowser(), createHeadlessBrowser()];
    const ada = await signIn('by-session', 'ada', here);
    const adaElsewhere = await signIn('by-session', 'ada', there);
    const { sid } = decodeJwt(ada.token);
    expect(sid).toBeTypeOf('string');
    expect([await statusOf(ada), await statusOf(adaElsewhere)]).toEqual([200, 200]);
    const startedMs = performance.now();
    await signOut(here);
    expect(await statusOf(ada)).toBe(401);
    process.stdout.write(
      `signed out at oidc-provider -> refused: ${Math.round(performance.now() - startedMs)} ms\n`,
    );
    expect(decodeJwt(logoutTokens[0] ?? '')).toMatchObject({ aud: 'by-session', sub: 'ada', sid });
    expect(await statusOf(adaElsewhere)).toBe(200);
  });

  test('is refused everywhere where the provider names the user alone; others are not', async () => {
    const [here, there] = [createHeadlessBrowser(), createHeadlessBrowser()];
    const ada = await signIn('by-user', 'ada', here);
    const bob = await signIn('by-user', 'bob', there);
    const adaElsewhere = await signIn('by-session', 'ada', createHeadlessBrowser());
    await signOut(here);
    expect(decodeJwt(logoutTokens[0] ?? '')).not.toHaveProperty('sid');
    expect([await statusOf(ada), await statusOf(adaElsewhere), await statusOf(bob)]).toEqual([401, 401, 200]);
  });
});
