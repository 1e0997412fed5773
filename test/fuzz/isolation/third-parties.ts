import { createBillingBackend } from '#demo/billing-backend.ts';
import { createCalendarServer } from '#demo/calendar-server.ts';
import { createInbox } from '#demo/mailer.ts';
import { createNotesBackend } from '#demo/notes-backend.ts';
import type { Clock } from '#kernel/clock.ts';
import { isJsonObject, parseJson, stringAt } from '#kernel/json.ts';
import { silentLog } from '#kernel/log.ts';
import { basic, type Demo, resourceServer, startDemo } from '../../demo/demo-fixture.ts';
import { type CapturingBackend, createCapturingBackend } from '../../support/capturing-backend.ts';
import { createIssuer, type TestIssuer } from '../../support/issuer.ts';
import { canonicalUrl } from '../../support/running-gateway.ts';
import { type BoardServer, startBoardServer } from './board-server.ts';
import { canariesIn, canary, owners } from './canary.ts';

export const scopes = {
  'mcp:notes:read': 'Read your notes',
  'mcp:notes:write': 'Write notes',
  'mcp:billing:read': 'See your plan',
  'mcp:board': 'Use your account at the board',
  'mcp:calendar': 'Use your account at the calendar',
};
export const technicalToken = 'the-technical-token-of-the-applications';

/** Everything around the gateway, as it runs in the demo, and a server whose every word is one account's. */
export interface ThirdParties extends AsyncDisposable {
  /** The gateway's own issuer, and the one of the board's accounts. */
  readonly ours: { readonly issuer: string; readonly demo: Demo };
  readonly theirs: { readonly issuer: string; readonly demo: Demo };
  /** A second issuer of the gateway, whose subjects can be those of the first. */
  readonly other: TestIssuer;
  readonly board: BoardServer;
  readonly calendar: { readonly url: string; send(url: string, init?: RequestInit): Promise<Response> };
  readonly calendarInbox: ReturnType<typeof createInbox>;
  readonly urls: { readonly notes: string; readonly billing: string };
  /** Applications that get a token of the gateway's own, and one that the issuer exchanges, and say whose it is. */
  readonly ledgers: { readonly asserted: CapturingBackend; readonly exchanged: CapturingBackend };
  /** Requests that came to a ledger with one person's token and another's canary. */
  readonly mixed: string[];
  /** Every token and client secret that was given out, newest last. */
  readonly secrets: Set<string>;
}

const manyLimits = {
  maxLinksPerEmail: 1_000_000,
  maxLinksPerAddressRange: 1_000_000,
  maxRegistrationsPerAddressRange: 1_000_000,
};

export async function startThirdParties(clock: Clock): Promise<ThirdParties> {
  const owned = new AsyncDisposableStack();
  const secrets = new Set<string>();
  let addresses = 0;

  /** Whoever limits by address meets somebody new each time. */
  const nextAddress = () => {
    addresses += 1;
    return `10.${(addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`;
  };
  /** Remembers what a server gives out that nobody may find again. */
  async function remembering(request: Request, answered: Promise<Response>): Promise<Response> {
    const answer = await answered;
    if (request.method !== 'POST' || !/\/(token|register)$/.test(request.url)) return answer;
    const parsed = parseJson(await answer.clone().text());
    const told = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {};
    for (const member of ['access_token', 'refresh_token', 'client_secret', 'registration_access_token']) {
      const secret = stringAt(told, member);
      if (secret !== undefined) secrets.add(secret);
    }
    return answer;
  }
  function serve(answer: (request: Request) => Promise<Response>): string {
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      idleTimeout: 0,
      fetch: (request) => remembering(request, answer(request)),
    });
    owned.defer(() => server.stop(true));
    return `http://127.0.0.1:${server.port}`;
  }
  const late = () => Promise.resolve(new Response(null, { status: 503 }));

  async function startIssuer(resource: string, more: Parameters<typeof startDemo>[0]) {
    let answer: (request: Request) => Promise<Response> = late;
    const issuer = serve((request) => answer(request));
    const demo = await startDemo({ issuer, resources: [resource], clock, limits: manyLimits, ...more });
    owned.defer(() => demo.server.close());
    answer = (request) => withUserinfo(request, demo, issuer);
    const send: Demo['send'] = (url, init) => {
      const request = new Request(url, init);
      return remembering(request, demo.server.fetch(request, nextAddress()));
    };
    return { issuer, demo: { ...demo, send } };
  }

  const mixed: string[] = [];
  const ledgers = { asserted: owned.use(startLedger(mixed)), exchanged: owned.use(startLedger(mixed)) };
  const ours = await startIssuer(canonicalUrl, {
    scopes,
    plans: { free: Object.keys(scopes) },
    clients: [{ ...resourceServer, exchangeAudiences: [ledgers.exchanged.url] }],
  });
  const board = owned.use(
    startBoardServer({
      issuer: () => theirs.issuer,
      async accountOf(token) {
        const body = new URLSearchParams({ token });
        const request = new Request(`${theirs.issuer}/introspect`, { method: 'POST', headers: basic, body });
        const told: unknown = await (await theirs.demo.server.fetch(request, '10.0.0.1')).json();
        return isJsonObject(told) && told.active === true ? emailIn(token) : undefined;
      },
    }),
  );
  const boardScopes = { openid: 'Know who you are', board: 'Use your board' };
  const theirs = await startIssuer(board.url, {
    scopes: boardScopes,
    plans: { all: Object.keys(boardScopes) },
  });
  const other = owned.use(await createIssuer({ audience: canonicalUrl, algorithm: 'ES256' }));

  const trust = {
    issuer: ours.issuer,
    jwksUri: `${ours.issuer}/.well-known/jwks.json`,
    audience: canonicalUrl,
    technicalToken,
  };
  const notes = createNotesBackend(trust);
  const billing = createBillingBackend(trust);
  let calendarAnswer: (request: Request) => Promise<Response> = late;
  const calendarOrigin = serve((request) => calendarAnswer(request));
  const calendarInbox = createInbox();
  const calendar = await createCalendarServer(calendarOrigin, {
    clock,
    log: silentLog,
    mailer: calendarInbox,
    databasePath: ':memory:',
    keyFile: undefined,
    fetchDocument: undefined,
    allowsLoopbackDocuments: false,
  });
  owned.defer(() => calendar.close());
  calendarAnswer = (request) => calendar.fetch(request, nextAddress());

  return {
    ours,
    theirs,
    other,
    board,
    calendar: {
      url: `${calendarOrigin}/mcp`,
      send: (url, init) => calendar.fetch(new Request(url, init), nextAddress()),
    },
    calendarInbox,
    urls: {
      notes: serve((request) => notes.fetch(request)),
      billing: serve((request) => billing.fetch(request)),
    },
    ledgers,
    mixed,
    secrets,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** One tool, whose answer says whose token it came with and what was asked. */
function startLedger(mixed: string[]): CapturingBackend {
  const ledger = createCapturingBackend({
    tools: [{ name: 'mine', scope: 'mcp:notes:read' }],
    technicalToken,
  });
  ledger.answer('mine', ({ headers, params, text }) => {
    const email = emailIn(headers.get('authorization')?.slice('Bearer '.length) ?? '') ?? '';
    const owner = owners.find((one) => email.includes(`-${one}-`));
    if (owner === undefined) return Response.json({ error: 'whose token is it?' }, { status: 401 });
    for (const { owner: whose, found } of canariesIn(text))
      if (whose !== owner) mixed.push(`${found} came to a ledger with the token of ${owner}`);
    return Response.json({ whose: canary(owner, 'result'), params });
  });
  return ledger;
}

/** The demo's server says nothing of accounts; this is what one that does adds, so that links carry a name. */
async function withUserinfo(request: Request, { server }: Demo, issuer: string): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === '/userinfo') return Response.json({ sub: '1', email: emailIn(tokenOf(request)) });
  const answer = await server.fetch(request, '10.0.0.2');
  const isMetadata = pathname.startsWith('/.well-known/') && !pathname.endsWith('jwks.json');
  if (answer.status !== 200 || (!isMetadata && pathname !== '/token')) return answer;
  const parsed: unknown = await answer.json();
  const told = isJsonObject(parsed) ? parsed : {};
  if (isMetadata) return Response.json({ ...told, userinfo_endpoint: `${issuer}/userinfo` });
  return Response.json({ ...told, scope: `openid ${told.scope}` });
}

function tokenOf(request: Request): string {
  return request.headers.get('authorization')?.slice('Bearer '.length) ?? '';
}

function emailIn(token: string): string | undefined {
  const claims = parseJson(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return claims.ok && isJsonObject(claims.value) ? stringAt(claims.value, 'email') : undefined;
}
