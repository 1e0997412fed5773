import { createAuthenticator } from '#auth/authenticate.ts';
import { createChallenge } from '#auth/challenge.ts';
import type { DenyList } from '#auth/deny-list.ts';
import { createDpop } from '#auth/dpop.ts';
import type { AuthOptions } from '#auth/options.ts';
import {
  commandDocumentPath,
  createSignIn,
  type SignIn,
  type SignInOptions,
  signInDocumentPath,
} from '#auth/sign-in.ts';
import { createLimiter } from '#cluster/limiter.ts';
import type { AuthorizationServerOptions } from '#demo/authorization-server/options.ts';
import {
  createHeadlessBrowser,
  type HeadlessBrowser,
  type Page,
  type Visit,
} from '#demo/headless-browser.ts';
import { signUpForTokens, signUpHeadlessly } from '#demo/sign-up.ts';
import type { JsonObject } from '#kernel/json.ts';
import { principalKey } from '#kernel/principal.ts';
import { err } from '#kernel/result.ts';
import { createSealer } from '#keys/sealer.ts';
import { createFetchJson } from '#outbound/fetch-json.ts';
import { createLibraryFetch } from '#outbound/library-fetch.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { createApp } from '#server/app.ts';
import { createHostGate } from '#server/host-gate.ts';
import { createOriginGate } from '#server/origin-gate.ts';
import type { RecentCall } from '#server/pages/accounts-page.ts';
import { answerFrontPage, explainRefusal } from '#server/pages/front-page.ts';
import type { LinkableServer } from '#server/pages/linkable-server.ts';
import { createPeoplePages } from '#server/pages/people-pages.ts';
import { routeTable } from '#server/route-table.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { GrantOwner, Grants } from '#vault/grant.ts';
import { createLinkTickets } from '#vault/link-tickets.ts';
import { createLinkingEngine } from '#vault/linking/create-linking-engine.ts';
import { recordingLog, ringOf } from '../../audit/support/audit-kit.ts';
import { type ListeningDemo, listen } from '../../demo/listening-demo.ts';
import { freePort } from '../../support/free-port.ts';
import { createMovingClock, type MovingClock } from '../../support/moving-clock.ts';
import { nothingDenied } from '../../support/nothing-denied.ts';
import { linkedServer } from '../../vault/linking/linking-kit.ts';
import { openTestVault } from '../../vault/vault-kit.ts';
import { type FakeProvider, startProvider } from './provider.ts';

/** The pages behind the real doors, on a socket, in front of the demo's authorization server. */
export interface People extends AsyncDisposable {
  readonly origin: string;
  readonly issuer: string;
  readonly demo: ListeningDemo['demo'];
  readonly provider: FakeProvider;
  readonly signIn: SignIn;
  readonly clock: MovingClock;
  readonly log: ReturnType<typeof recordingLog>;
  readonly records: (JsonObject & { readonly owner: string })[];
  readonly changed: string[];
  readonly registrations: Map<string, string>;
  servers: readonly LinkableServer[];
  calls: readonly RecentCall[] | undefined;
  /** Whether the audit takes records. */
  mayRecord: boolean;
  /** A browser that is signed in, and who it is. */
  signedIn(email: string): Promise<Person>;
  /** Goes on from the page `Sign in first`, as that person. */
  signInFrom(browser: HeadlessBrowser, page: Page, email: string): Promise<Visit>;
  ticketFor(owner: GrantOwner, server?: string): Promise<string>;
  token(email: string): Promise<string>;
}
export interface Person {
  readonly browser: HeadlessBrowser;
  readonly owner: GrantOwner;
  /** The `Cookie` header of its browser. */
  cookies(): string;
}

export interface PeopleSetup {
  readonly authorizationServer?: (origin: string) => Partial<AuthorizationServerOptions>;
  readonly options?: Partial<SignInOptions>;
  readonly auth?: Partial<AuthOptions>;
  readonly gatewayName?: string;
  readonly denyList?: Partial<DenyList>;
  /** A server that is linked for real, with the demo's authorization server as its provider. */
  readonly realServer?: string;
  /** Whether sign-ins from one network are slowed down, as they are outside tests. */
  readonly countsNetworks?: boolean;
}

export async function openPeople(setup: PeopleSetup = {}): Promise<People> {
  const owned = new AsyncDisposableStack();
  const port = freePort();
  const origin = `http://127.0.0.1:${port}`;
  const url = `${origin}/mcp`;
  const listening = await listen({
    resources: setup.realServer === undefined ? [url] : [url, setup.realServer],
    allowsLoopbackDocuments: true,
    limits: {
      accessTokenSeconds: 7_200,
      maxLinksPerEmail: 1_000,
      maxLinksPerAddressRange: 1_000,
      maxRegistrationsPerAddressRange: 1_000,
    },
    ...setup.authorizationServer?.(origin),
  });
  owned.defer(listening.close);
  const { demo, issuer } = listening;
  const provider = owned.use(startProvider(() => origin));
  const clock = createMovingClock();
  const log = recordingLog();
  const outbound = createOutbound();
  owned.defer(() => outbound.close());
  const fetchJson = createFetchJson(outbound);
  const options: AuthOptions = {
    canonicalUrl: url,
    issuers: [{ url: issuer, preset: 'rfc9068' }],
    baselineScopes: [],
    challengeScopes: ['mcp:notes:read', 'mcp:billing:export'],
    plans: new Map(),
    scopeImplies: new Map(),
    requiredPool: undefined,
    ...setup.auth,
  };
  const sealer = createSealer(ringOf(7));
  const authenticator = createAuthenticator({
    options,
    fetchJson,
    outbound,
    dpop: createDpop({ sealer, clock }),
    denyList: { ...nothingDenied, ...setup.denyList },
    clock,
    log,
  });
  owned.defer(() => authenticator.close());
  const challenge = createChallenge(options);
  const store = openSqliteStore(':memory:');
  owned.defer(() => store.close());
  const tickets = createLinkTickets({ store, sealer, clock });
  const registrations = new Map<string, string>();
  const signIn = createSignIn({
    options: () => ({
      issuer,
      clientId: undefined,
      clientSecret: undefined,
      resource: url,
      origin,
      scopes: ['mcp:notes:read', 'mcp:billing:export'],
      name: 'Cortex',
      ...setup.options,
    }),
    authenticator: () => authenticator,
    fetchJson,
    fetch: createLibraryFetch(outbound),
    sealer,
    registrations: {
      load: async (key) => registrations.get(key),
      save: async (key, sealed) => void registrations.set(key, sealed),
      remove: async (key) => void registrations.delete(key),
    },
    clock,
    log,
  });
  listening.documents.set(origin + signInDocumentPath, signIn.clientDocument());
  listening.documents.set(origin + commandDocumentPath, signIn.commandDocument());

  const records: People['records'] = [];
  const changed: string[] = [];
  const state: Pick<People, 'servers' | 'calls' | 'mayRecord'> = {
    mayRecord: true,
    servers: [
      { id: 'linear', title: 'Linear', defaultScopes: ['mcp:notes:read'] },
      { id: 'exports', title: undefined, defaultScopes: ['mcp:billing:export'] },
    ],
    calls: [],
  };
  const vault = await openTestVault(store, { clock, log });
  const engine = createLinkingEngine({
    server: (id) => (id === 'linear' ? linkedServer(setup.realServer ?? '') : undefined),
    gatewayUrl: url,
    clientName: 'Cortex',
    grants: vault.grants,
    store,
    sealer: vault.sealer,
    clock,
    log,
  });
  owned.defer(() => engine.close());
  listening.documents.set(`${origin}/.well-known/oauth-client/linear.json`, engine.clientDocument('linear'));
  const isReal = setup.realServer !== undefined;
  const fakeGrants: Pick<Grants, 'list'> = {
    list: async (owner) =>
      [...provider.grants].filter(([key]) => key.startsWith(`${owner.key} `)).map(([, grant]) => grant),
  };
  const pages = createPeoplePages({
    gateway: () => ({ url, name: setup.gatewayName ?? 'Cortex' }),
    servers: () => state.servers,
    signIn,
    isKnownIssuer: (named) => named === issuer,
    isDenied: (token) => (setup.denyList ?? nothingDenied).denies?.(token) !== undefined,
    linking: isReal ? engine : provider.linking,
    grants: isReal ? vault.grants : fakeGrants,
    tickets,
    async recentCalls(_owner, count) {
      if (state.calls === undefined) throw new Error('the index is broken');
      return state.calls.slice(0, count);
    },
    mayRecord: () => state.mayRecord,
    async record(owner, fields) {
      records.push({ ...fields, owner: owner.key });
      return true;
    },
    linkingChanged: (server, owner) => void changed.push(`${server} ${owner.key}`),
    async authenticate(request) {
      const query = { search: new URL(request.url).search };
      const admitted = await authenticator.authenticate(request.headers, query);
      return admitted.ok ? admitted : err(challenge.answer(admitted.error, query));
    },
    limiter: createLimiter(clock),
    networkOf: (_request, connection) => (setup.countsNetworks ? connection?.address() : undefined),
    sealer,
    clock,
    log,
  });
  const app = createApp({
    routes: routeTable({
      frontPage: async (request) =>
        answerFrontPage(request, {
          url: `${origin}/mcp`,
          name: 'Cortex',
          websiteUrl: undefined,
          sharesOrigin: false,
        }),
      explainRefusal: async (refusal) =>
        explainRefusal(refusal, {
          url: `${origin}/mcp`,
          name: 'Cortex',
          websiteUrl: undefined,
          sharesOrigin: false,
        }),
      mcp: () =>
        challenge.answer({ reason: 'token_missing', issuer: undefined, detail: undefined }, { search: '' }),
      metadata: () => ({ resource: url, authorization_servers: [issuer] }),
      gateway: () => ({ url, name: 'Cortex', websiteUrl: undefined }),
      keySet: () => ({ keys: [] }),
      catalogChanged: async () => new Response(null, { status: 501 }),
      securityEvents: {
        push: async () => new Response(null, { status: 501 }),
        logout: async () => new Response(null, { status: 501 }),
      },
      isReady: () => true,
      people: {
        handle: pages.handle,
        async clientDocument(name) {
          if (name === 'command-line') return signIn.commandDocument();
          return name === 'sign-in' ? signIn.clientDocument() : engine.clientDocument(name);
        },
      },
    }),
    doors: () => ({
      isOurHost: createHostGate(url, '127.0.0.1'),
      isAllowedOrigin: createOriginGate(url, ['https://claude.ai']),
      areHeadersAllowed: undefined,
      clientAddress: (peer) => peer,
    }),
    refusals: createLimiter(clock),
    log,
  });
  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    fetch: (request, self) =>
      app.fetch(request, { address: () => self.requestIP(request)?.address, keepOpen() {} }),
  });
  owned.defer(() => server.stop(true));

  async function signInFrom(browser: HeadlessBrowser, page: Page, email: string): Promise<Visit> {
    const href = /href="([^"]*\/sign-in\?[^"]*)"/.exec(page.html)?.[1]?.replaceAll('&amp;', '&');
    if (href === undefined) throw new Error(`${page.url} does not lead to a sign-in: ${page.html}`);
    const toIssuer = await browser.open(href);
    if (toIssuer.kind === 'page') throw new Error(`Not sent to the issuer: ${toIssuer.page.html}`);
    const back = await signUpHeadlessly({
      authorizationUrl: toIssuer.location,
      email,
      readLink: demo.inbox.readLink,
    });
    return browser.open(back.href);
  }

  async function signedIn(email: string): Promise<Person> {
    const jar = new Map<string, string>();
    const browser = createHeadlessBrowser(async (page, init) => {
      const answer = await fetch(page, init);
      for (const cookie of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(cookie) ?? [];
        jar.set(name, value);
      }
      return answer;
    });
    const asked = pageOf(await browser.open(`${origin}/link`));
    pageOf(await signInFrom(browser, asked, email));
    const subject = subjectOf(await tokenFor(email));
    return {
      browser,
      owner: { issuer, subject, key: principalKey(issuer, subject) },
      cookies: () => [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
    };
  }

  async function tokenFor(email: string): Promise<string> {
    const { accessToken } = await signUpForTokens({
      issuer,
      resource: url,
      email,
      readLink: demo.inbox.readLink,
    });
    return accessToken;
  }

  return {
    origin,
    issuer,
    demo,
    provider,
    signIn,
    clock,
    log,
    records,
    changed,
    registrations,
    get servers() {
      return state.servers;
    },
    set servers(next) {
      state.servers = next;
    },
    get mayRecord() {
      return state.mayRecord;
    },
    set mayRecord(next) {
      state.mayRecord = next;
    },
    get calls() {
      return state.calls;
    },
    set calls(next) {
      state.calls = next;
    },
    signedIn,
    signInFrom,
    ticketFor: (owner, name = 'linear') => tickets.issue(owner, name),
    token: tokenFor,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export function pageOf(visit: Visit): Page {
  if (visit.kind === 'left') throw new Error(`Expected a page, was sent to ${visit.location}.`);
  return visit.page;
}

export function locationOf(visit: Visit): string {
  if (visit.kind === 'page')
    throw new Error(`Expected to leave, got ${visit.page.status}: ${visit.page.html}`);
  return visit.location;
}

export function headingOf(page: Page): string {
  return /<h1>([\s\S]*?)<\/h1>/.exec(page.html)?.[1] ?? '';
}

function subjectOf(token: string): string {
  const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  if (typeof payload !== 'object' || payload === null || !('sub' in payload)) throw new Error('no subject');
  return String(payload.sub);
}
