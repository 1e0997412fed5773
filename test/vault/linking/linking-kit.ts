import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type Log, type LogFields, silentLog } from '#kernel/log.ts';
import type { Result } from '#kernel/result.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import type { Grant, GrantOwner, Grants } from '#vault/grant.ts';
import { createLinkTickets, type LinkTickets } from '#vault/link-tickets.ts';
import { createLinkingEngine, type LinkingEngineDeps } from '#vault/linking/create-linking-engine.ts';
import type { LinkedServer } from '#vault/linking/linked-server.ts';
import type { LinkingEngine } from '#vault/linking/linking-engine.ts';
import { createMovingClock, type MovingClock } from '../../support/moving-clock.ts';
import { createTempFolder } from '../../support/temp-folder.ts';
import { openTestVault, ownerOf } from '../vault-kit.ts';
import { type RecordingServer, startRecorder } from './recorder.ts';

export const ada = ownerOf('ada');
export const bob = ownerOf('bob');
export const adasBrowser = createHash('sha256').update('ada’s cookie').digest('base64url');
export const bobsBrowser = createHash('sha256').update('bob’s cookie').digest('base64url');

export const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

export interface LinkingKit {
  readonly engine: LinkingEngine;
  readonly tickets: LinkTickets;
  readonly grants: Grants;
  readonly store: Store;
  readonly clock: MovingClock;
  /** Serves the gateway's client metadata documents, as the gateway would. */
  readonly gateway: RecordingServer;
  readonly events: { readonly event: string; readonly fields: LogFields | undefined }[];
  readonly servers: Map<string, LinkedServer>;
}

export function linkedServer(url: string, changes: Partial<LinkedServer> = {}): LinkedServer {
  return {
    url,
    allowHttp: false,
    client: undefined,
    issuer: undefined,
    oauthScopes: undefined,
    sendsResource: true,
    allowWithoutS256: false,
    allowPrivate: [],
    ...changes,
  };
}

/** The engine over a real store in a temporary folder; `servers` may be changed at any time. */
export async function startLinking(
  servers: Readonly<Record<string, LinkedServer>>,
  options: Pick<Partial<LinkingEngineDeps>, 'egress' | 'timeoutMs' | 'gatewayUrl'> & {
    readonly folder?: string;
  } = {},
): Promise<LinkingKit> {
  const folder = options.folder ?? (await temporaryFolder());
  const store = openSqliteStore(join(folder, 'cortex.db'));
  const clock = createMovingClock();
  const events: LinkingKit['events'] = [];
  const log = recordingLog(events);
  const { sealer, grants } = await openTestVault(store, { clock, log });
  const table = new Map(Object.entries(servers));
  const gateway = startRecorder((request) => {
    const id = /^\/\.well-known\/oauth-client\/(.+)\.json$/.exec(new URL(request.url).pathname)?.[1];
    return id === undefined ? new Response(null, { status: 404 }) : Response.json(engine.clientDocument(id));
  });
  const engine: LinkingEngine = createLinkingEngine({
    server: (id) => table.get(id),
    gatewayUrl: `${gateway.origin}/mcp`,
    clientName: 'Cortex',
    grants,
    store,
    sealer,
    clock,
    log,
    ...options,
  });
  closing.push(
    () => store.close(),
    () => gateway.close(),
    () => engine.close(),
  );
  const tickets = createLinkTickets({ store, sealer, clock });
  return { engine, tickets, grants, store, clock, gateway, events, servers: table };
}

async function temporaryFolder(): Promise<string> {
  const folder = await createTempFolder();
  closing.push(() => folder.remove());
  return folder.path;
}

function recordingLog(events: LinkingKit['events']): Log {
  const record = (event: string, fields?: LogFields) => void events.push({ event, fields });
  return { ...silentLog, warn: record, error: record };
}

/** Begins a link and fails the test where that is refused. */
export async function begin(
  { engine }: LinkingKit,
  input: Partial<Parameters<LinkingEngine['begin']>[0]> = {},
): Promise<URL> {
  const begun = await engine.begin({ owner: ada, server: 'notes', browser: adasBrowser, ...input });
  return new URL(granted(begun).authorizeUrl);
}

export async function refusalToBegin(kit: LinkingKit, server = 'notes'): Promise<string> {
  const begun = await kit.engine.begin({ owner: ada, server, browser: adasBrowser });
  return begun.ok ? 'begun' : begun.error.reason;
}

export interface Visitor {
  readonly owner?: GrantOwner;
  readonly browser?: string;
  readonly server?: string;
}

/** From the provider's redirect to the stored grant. */
export async function finish(kit: LinkingKit, redirect: URL, visitor: Visitor = {}): Promise<Grant> {
  const who = { owner: ada, browser: adasBrowser, server: 'notes', ...visitor };
  const answered = granted(await kit.engine.callback({ ...who, url: redirect.href }));
  granted(await kit.engine.confirm({ ...who, flow: answered.flow }));
  const stored = await kit.grants.get(who.owner, who.server);
  if (stored === undefined) throw new Error('No grant was stored.');
  return stored.grant;
}

export async function refusedCallback(
  kit: LinkingKit,
  redirect: URL | string,
  visitor: Visitor = {},
): Promise<string> {
  const who = { owner: ada, browser: adasBrowser, server: 'notes', ...visitor };
  const answered = await kit.engine.callback({ ...who, url: String(redirect) });
  return answered.ok ? 'answered' : answered.error.reason;
}

export function granted<T, E>(result: Result<T, E>): T {
  if (!result.ok) throw new Error(`Refused: ${JSON.stringify(result.error)}`);
  return result.value;
}
