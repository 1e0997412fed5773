import { styleAnswer, styleSheetPath } from '#look/style-answer.ts';
import { createAccessTokens } from './access-tokens.ts';
import { createAccountEndpoints } from './account.ts';
import { jsonAnswer, redirectAnswer } from './answers.ts';
import { createAuthorizeEndpoints } from './authorize.ts';
import { createBrowsers } from './browser.ts';
import { createClientDocuments } from './client-documents.ts';
import { createClients } from './clients.ts';
import { createSweep, openDatabase } from './database.ts';
import type { Endpoint, Parts } from './endpoint.ts';
import { createEventsEndpoint } from './events-endpoint.ts';
import { createGrants } from './grants.ts';
import { createMetadataEndpoints } from './metadata.ts';
import { type AuthorizationServerOptions, serverLimits } from './options.ts';
import { createRegistrationEndpoint } from './registration-endpoint.ts';
import { createRevocationFeed } from './revocation-feed.ts';
import { createRevocations } from './revocations.ts';
import { createScopeRules } from './scopes.ts';
import { createSignInEndpoints } from './sign-in.ts';
import { createSignInLinks } from './sign-in-links.ts';
import { loadSigningKey } from './signing-key.ts';
import { createTokenEndpoint } from './token-endpoint.ts';
import { createIntrospectionEndpoint, createRevocationEndpoint } from './token-state.ts';
import { createUsers } from './users.ts';

export interface AuthorizationServer {
  /** `peerAddress` is what limits count by; behind a proxy, the address the proxy vouches for. */
  fetch(request: Request, peerAddress: string): Promise<Response>;
  /** Takes effect at the next token or refresh. False: no such user or plan. */
  setPlan(email: string, plan: string): boolean;
  /** Ends every grant of the user and tells the readers of `/events`. False: no such user. */
  revokeUser(email: string): Promise<boolean>;
  /** Forgets every user, having revoked their grants: a public demo starts each day afresh. */
  reset(): Promise<void>;
  close(): void;
}

/**
 * A complete OAuth 2.1 authorization server for a demo: registration, consent, tokens, revocation, in one process
 * on one SQLite file. Not for production as it stands: one signing key without rotation, no second factor.
 */
export async function createAuthorizationServer(
  options: AuthorizationServerOptions,
): Promise<AuthorizationServer> {
  const { issuer, resources, clock, log } = options;
  if (!/^https?:\/\/[^/?#@]+$/.test(issuer))
    throw new Error(`The issuer must be an origin without a path: ${issuer}`);
  if (resources.length === 0) throw new Error('The authorization server needs at least one resource.');
  const limits = { ...serverLimits, ...options.limits };
  const scopes = createScopeRules(options.scopes, options.plans);
  const key = await loadSigningKey(options.keyFile);
  const database = openDatabase(options.databasePath);
  const sweep = createSweep(database, clock);
  const users = createUsers(database, clock, scopes.firstPlan, limits.maxUsers);
  const grants = createGrants(database, clock, limits);
  const feed = createRevocationFeed({ database, issuer, audience: resources, key, clock, limits });
  const revocations = createRevocations(grants, feed);
  const { fetchDocument, allowsLoopbackDocuments: allowsLoopback } = options;
  const documents = createClientDocuments({ fetchDocument, allowsLoopback, clock, log, limits });
  const parts: Parts = {
    issuer,
    resources,
    limits,
    clock,
    log,
    mailer: options.mailer,
    scopes,
    users,
    grants,
    clients: createClients({ database, clock, listed: options.clients, documents, limits }),
    links: createSignInLinks(database, clock, limits),
    browsers: createBrowsers({ database, clock, users, issuer, sessionSeconds: limits.sessionSeconds }),
    tokens: createAccessTokens(issuer, key, clock, limits.accessTokenSeconds),
    key,
    feed,
    revocations,
    readsDocuments: fetchDocument !== undefined,
  };
  const routes = routeTable(parts);

  return {
    async fetch(request, peerAddress) {
      sweep();
      const url = new URL(request.url);
      const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined;
      if (route === undefined) return jsonAnswer({ error: 'not_found' }, 404);
      if (request.method === 'OPTIONS' && route.isCrossOrigin) return preflight(route);
      const endpoint =
        request.method === 'GET' ? route.GET : request.method === 'POST' ? route.POST : undefined;
      if (endpoint === undefined)
        return jsonAnswer({ error: 'method_not_allowed' }, 405, { allow: methodsOf(route) });
      const answer = await endpoint({ request, url, address: peerAddress });
      if (route.isCrossOrigin) answer.headers.set('access-control-allow-origin', '*');
      if (issuer.startsWith('https:')) answer.headers.set('strict-transport-security', 'max-age=31536000');
      return answer;
    },
    setPlan(email, plan) {
      const user = users.byEmail(email);
      if (user === undefined || !scopes.plans.includes(plan)) return false;
      users.setPlan(user.sub, plan);
      return true;
    },
    async revokeUser(email) {
      const user = users.byEmail(email);
      if (user === undefined) return false;
      await revocations.user(user.sub);
      return true;
    },
    async reset() {
      for (const sub of users.subjects()) await revocations.user(sub);
      users.clear();
    },
    close() {
      feed.close();
      database.close();
    },
  };
}

interface Route {
  readonly GET?: Endpoint;
  readonly POST?: Endpoint;
  /** Scripts of other origins may call it: it takes no cookie. */
  readonly isCrossOrigin?: boolean;
}

/** Every path of the server. */
function routeTable(parts: Parts): Readonly<Record<string, Route>> {
  const { metadata, keys } = createMetadataEndpoints(parts);
  const { ask, decide } = createAuthorizeEndpoints(parts);
  const { form, send, openLink, confirm } = createSignInEndpoints(parts);
  const { show, changePlan, disconnect, signOut } = createAccountEndpoints(parts);
  return {
    '/.well-known/oauth-authorization-server': { GET: metadata, isCrossOrigin: true },
    '/.well-known/openid-configuration': { GET: metadata, isCrossOrigin: true },
    '/.well-known/jwks.json': { GET: keys, isCrossOrigin: true },
    '/register': { POST: createRegistrationEndpoint(parts), isCrossOrigin: true },
    '/authorize': { GET: ask, POST: decide },
    '/token': { POST: createTokenEndpoint(parts), isCrossOrigin: true },
    '/revoke': { POST: createRevocationEndpoint(parts), isCrossOrigin: true },
    '/introspect': { POST: createIntrospectionEndpoint(parts) },
    '/events': { GET: createEventsEndpoint(parts) },
    '/sign-in': { GET: form, POST: send },
    '/sign-in/link': { GET: openLink, POST: confirm },
    '/account': { GET: show },
    '/account/plan': { POST: changePlan },
    '/account/disconnect': { POST: disconnect },
    '/account/sign-out': { POST: signOut },
    [styleSheetPath]: { GET: styleAnswer },
    '/': { GET: () => redirectAnswer('/account') },
  };
}

function preflight(route: Route): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': methodsOf(route),
      'access-control-allow-headers': 'authorization, content-type, accept, mcp-protocol-version',
      'access-control-max-age': '3600',
    },
  });
}

function methodsOf(route: Route): string {
  return [route.GET && 'GET', route.POST && 'POST', route.isCrossOrigin && 'OPTIONS']
    .filter(Boolean)
    .join(', ');
}
