import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#kernel/clock.ts';
import { randomId } from '#kernel/ids.ts';
import type { Log } from '#kernel/log.ts';
import { Secret } from '#kernel/secret.ts';
import {
  type AuthorizationServer,
  createAuthorizationServer,
} from './authorization-server/create-authorization-server.ts';
import type { FetchDocument } from './authorization-server/options.ts';
import { createBillingBackend } from './billing-backend.ts';
import { createCalendarServer } from './calendar-server.ts';
import { demoPlans, demoScopes } from './demo-plans.ts';
import type { Mailer } from './mailer.ts';
import { createNotesBackend, type NotesBackend } from './notes-backend.ts';

export interface DemoWorldOptions {
  /** The gateway's canonical URL: the resource of every token. */
  readonly resource: string;
  /** The authorization server's own origin. */
  readonly issuer: string;
  /** Where the authorization server listens; undefined: its `fetch` is served by somebody else. */
  readonly issuerPort: number | undefined;
  /** Where the third-party MCP server listens; undefined: there is none. */
  readonly calendarPort: number | undefined;
  /** Undefined: nothing is kept. */
  readonly folder: string | undefined;
  readonly mailer: Mailer;
  readonly fetchDocument: FetchDocument | undefined;
  /** On one's own machine; not where strangers come by. */
  readonly isLocal: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Everything around the gateway: an authorization server, two applications, a third-party MCP server; a port each. */
export interface DemoWorld {
  readonly authorizationServer: AuthorizationServer;
  /** The notes application of today: `reset` replaces it. */
  readonly notes: NotesBackend;
  readonly notesUrl: string;
  readonly billingUrl: string;
  /** The MCP endpoint of the third-party server, whose accounts are its own. */
  readonly calendarUrl: string | undefined;
  /** The applications' technical token, new at each start. */
  readonly technicalToken: string;
  /** The gateway as a client of the authorization server: it reads the revocations, and asks about tokens. New at each start. */
  readonly gatewayClient: { readonly id: string; readonly secret: string };
  /** Where the authorization server listens, whatever stands in front of it. */
  readonly issuerUrl: string;
  /** Forgets every user and every note: a public demo starts each day afresh. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function startDemoWorld(options: DemoWorldOptions): Promise<DemoWorld> {
  const { issuer, resource, folder } = options;
  if (folder !== undefined) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const gatewayClient = { id: 'cortex-gateway', secret: randomId() };
  const authorizationServer = await createAuthorizationServer({
    issuer,
    resources: [resource],
    scopes: demoScopes,
    plans: demoPlans,
    databasePath: folder === undefined ? ':memory:' : join(folder, 'authorization-server.db'),
    keyFile: folder === undefined ? undefined : join(folder, 'authorization-server.key'),
    clock: options.clock,
    log: options.log,
    mailer: options.mailer,
    fetchDocument: options.fetchDocument,
    allowsLoopbackDocuments: options.isLocal,
    clients: [
      {
        clientId: gatewayClient.id,
        name: 'The gateway',
        secret: new Secret(gatewayClient.secret),
        redirectUris: [],
        isResourceServer: true,
        exchangeAudiences: [],
      },
    ],
  });
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: options.issuerPort ?? 0,
    idleTimeout: 60,
    fetch(request, self) {
      // In public a proxy on this machine stands in front and says who came; here nobody else can connect.
      const forwarded = options.isLocal
        ? undefined
        : request.headers.get('x-forwarded-for')?.split(',').at(-1)?.trim();
      return authorizationServer.fetch(request, forwarded ?? self.requestIP(request)?.address ?? '127.0.0.1');
    },
  });
  const technicalToken = randomId();
  const trust = {
    issuer,
    // Its own keys are read where it listens, whatever stands in front of it.
    jwksUri: `http://127.0.0.1:${server.port}/.well-known/jwks.json`,
    audience: resource,
    technicalToken,
  };
  let notes = createNotesBackend(trust);
  const billing = createBillingBackend(trust);
  const notesServer = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: (request) => notes.fetch(request) });
  const billingServer = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request) => billing.fetch(request),
  });
  const calendar = await startCalendar(options);

  return {
    authorizationServer,
    get notes() {
      return notes;
    },
    notesUrl: `http://127.0.0.1:${notesServer.port}`,
    billingUrl: `http://127.0.0.1:${billingServer.port}`,
    calendarUrl: calendar?.url,
    technicalToken,
    gatewayClient,
    issuerUrl: `http://127.0.0.1:${server.port}`,
    async reset() {
      notes = createNotesBackend(trust);
      await authorizationServer.reset();
    },
    async close() {
      const servers = [
        server.stop(true),
        notesServer.stop(true),
        billingServer.stop(true),
        calendar?.close(),
      ];
      await Promise.all(servers);
      authorizationServer.close();
    },
  };
}

/** Under `localhost`, where the other servers are `127.0.0.1`: to a browser another site, with cookies of its own. */
async function startCalendar(
  options: DemoWorldOptions,
): Promise<{ readonly url: string; close(): Promise<void> } | undefined> {
  const { calendarPort: port, folder } = options;
  if (port === undefined) return undefined;
  const origin = `http://localhost:${port}`;
  const calendar = await createCalendarServer(origin, {
    databasePath: folder === undefined ? ':memory:' : join(folder, 'calendar.db'),
    keyFile: folder === undefined ? undefined : join(folder, 'calendar.key'),
    clock: options.clock,
    log: options.log,
    mailer: options.mailer,
    fetchDocument: options.fetchDocument,
    allowsLoopbackDocuments: options.isLocal,
  });
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port,
    idleTimeout: 0,
    fetch: (request) => calendar.fetch(request, '127.0.0.1'),
  });
  return {
    url: `${origin}/mcp`,
    async close() {
      await server.stop(true);
      calendar.close();
    },
  };
}
