import type { CallFacts } from '#audit/record.ts';
import { createChallenge } from '#auth/challenge.ts';
import type { MissingScopePolicy } from '#auth/options.ts';
import type { Backend } from '#backends/backend.ts';
import type { BackendRules } from '#catalog/assemble.ts';
import { type Catalog, createCatalog } from '#catalog/catalog.ts';
import { createToolSearch } from '#catalog/search.ts';
import { createLimiter } from '#cluster/limiter.ts';
import type { IntegrityGuard } from '#integrity/guard.ts';
import { silentLog } from '#kernel/log.ts';
import { principalKey } from '#kernel/principal.ts';
import { ok } from '#kernel/result.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { parseKeyRing } from '#keys/key-ring.ts';
import { createSealer } from '#keys/sealer.ts';
import { createAllowance } from '#mcp/allowance.ts';
import { linkToolName } from '#mcp/builtins/link-tool.ts';
import { createBuiltins } from '#mcp/builtins/registry.ts';
import { createWhoamiCache } from '#mcp/builtins/whoami.ts';
import type { EdgeDeps } from '#mcp/deps.ts';
import { createMcpEndpoint } from '#mcp/endpoint.ts';
import { createLinkWaits } from '#mcp/link-waits.ts';
import { createPersonal } from '#mcp/personal.ts';
import type { PersonalServer } from '#mcp/personal-servers.ts';
import { createPulse } from '#mcp/pulse.ts';
import { createRequestStates } from '#mcp/request-state.ts';
import { createSessions } from '#mcp/session.ts';
import { createSessionStates } from '#mcp/session-state.ts';
import { createStreams } from '#mcp/streams.ts';
import { createViews } from '#mcp/views.ts';
import { backendId } from '../../backends/backend-id.ts';
import { rules as namingRules } from '../../catalog/samples.ts';
import { principal } from '../../contract/principal.ts';
import { createCaller, type McpCaller } from '../../support/mcp-caller.ts';
import { createMovingClock, type MovingClock } from '../../support/moving-clock.ts';
import { nothingDenied } from '../../support/nothing-denied.ts';
import { issuerUrl, type ScriptedServer } from '../../support/scripted-server.ts';

export interface ServerSetup {
  readonly server: Pick<ScriptedServer, 'backend'>;
  readonly rules?: Partial<BackendRules>;
  /** Default: `mcp:<id>`. */
  readonly scopes?: readonly string[];
  readonly otherScopes?: readonly (readonly string[])[];
  readonly isLinkable?: boolean;
}

export interface EdgeSetup {
  readonly servers?: readonly ServerSetup[];
  /** Applications, whose lists are everyone's. */
  readonly backends?: readonly Backend[];
  readonly deadlineMs?: number;
  readonly missingScope?: MissingScopePolicy;
  readonly pageSize?: number;
  /** What stands between the catalog and its readers. Default: nothing. */
  readonly guard?: (catalog: Catalog) => Pick<IntegrityGuard, 'snapshot' | 'personal' | 'onChange'>;
  /** What the parts of the edge are made with, changed: a planted fault. */
  readonly plant?: (deps: EdgeDeps) => Partial<EdgeDeps>;
}

/** The real edge over scripted servers: catalog, views, streams, sessions; tokens are what they say. */
export interface Edge extends AsyncDisposable {
  readonly clock: MovingClock;
  readonly deps: EdgeDeps;
  readonly records: readonly CallFacts[];
  /** Who was given a link, in order. */
  readonly invited: readonly string[];
  admits: boolean;
  caller(subject: string, ...scopes: readonly string[]): McpCaller;
  /** `/mcp` itself. */
  fetch(request: Request): Promise<Response>;
  /** What a server tells by itself. */
  personalChanged(server: string, subject: string): void;
  resourceUpdated(server: string, uri: string, subject?: string): void;
  poll(): Promise<void>;
}

const sealKey = parseKeyRing('ab'.repeat(32));

export async function createEdge(setup: EdgeSetup = {}): Promise<Edge> {
  const { servers = [], backends = [], missingScope = 'hide' } = setup;
  if (!sealKey.ok) throw new Error(sealKey.error);
  const seal = createSealer(sealKey.value);
  const clock = createMovingClock();
  const pulse = createPulse(clock, 20);
  const rulesOf = (id: string, over: Partial<BackendRules> = {}): BackendRules => ({
    prefix: id,
    include: [],
    exclude: [],
    hasHelp: false,
    sharesSchemes: false,
    ...over,
  });
  const rules = {
    ...namingRules,
    reserved: new Set(servers.map(({ server }) => linkToolName(server.backend.id))),
  };
  const personalServers = servers.map(
    ({ server: { backend }, rules: over, scopes, otherScopes = [], isLinkable = true }): PersonalServer => {
      const needed = scopes ?? [`mcp:${backend.id}`];
      return {
        backend,
        rules: rulesOf(backend.id, { sharesSchemes: true, ...over }),
        scopeSets: [needed, ...otherScopes],
        linkScopes: isLinkable ? needed : undefined,
      };
    },
  );
  const catalog = createCatalog({
    backends: [
      ...backends.map((backend) => ({ backend, rules: rulesOf(backend.id) })),
      ...personalServers.map((server) => ({ backend: server.backend, rules: server.rules })),
    ],
    rules,
    limits: { pollIntervalMs: 60_000, pollTimeoutMs: 1_000, staleGraceMs: 60_000 },
    clock,
    schedule: systemSchedule,
    random: () => 0.5,
    log: silentLog,
    store: undefined,
  });
  const guard = setup.guard?.(catalog);
  const snapshot = guard?.snapshot ?? catalog.snapshot;
  await catalog.start();
  await catalog.settled();
  const views = createViews({ maxEntries: 500, maxBytes: 10_000_000, pageSize: setup.pageSize ?? 100 });
  const personal = createPersonal({
    servers: () => personalServers,
    rules: () => rules,
    guard: (principalKey, items) => guard?.personal(principalKey, items) ?? items,
    schedule: systemSchedule,
    log: silentLog,
    deadlineMs: setup.deadlineMs ?? 100,
    maxItems: 10_000,
    onLate: (key) => streams.personalChanged(key),
  });
  const all = new Map(
    [...backends, ...personalServers.map(({ backend }) => backend)].map((one) => [one.id, one]),
  );
  const backend: EdgeDeps['backend'] = (id) => all.get(id);
  const streams = createStreams({
    views,
    personal,
    snapshot,
    clock,
    pulse,
    isStillGood: () => true,
    debounceMs: 20,
    bounds: () => ({ maxStreams: 100, maxStreamsPerPrincipal: 10 }),
  });
  (guard ?? catalog).onChange((before) => streams.catalogChanged(before));
  const sessionStates = createSessionStates({
    store: { load: () => Promise.resolve(undefined), save: async () => {}, remove: async () => {} },
    maxSubscriptions: 10,
  });
  const linkWaits = createLinkWaits({ backend, streams, clock, lifetimeMs: 600_000, callWaitMs: 300 });
  const search = createToolSearch({ maxIndexedTools: 10_000 });
  const invited: string[] = [];
  const made: EdgeDeps = {
    settings: () => ({
      missingScope,
      serverName: 'cortex-gateway',
      serverVersion: '0',
      websiteUrl: undefined,
      listTtlMs: 60_000,
      maxRequestBodyBytes: 1_000_000,
    }),
    snapshot,
    backend,
    denyList: nothingDenied,
    isStillGood: () => true,
    views,
    personal,
    links: {
      invite: ({ subject }, server) => {
        invited.push(`${subject} ${server}`);
        const id = `invitation-${invited.length}`;
        return Promise.resolve({ url: `https://gateway.example/link/${server}?ticket=${id}`, id });
      },
    },
    linkWaits,
    builtins: createBuiltins(search),
    allowance: createAllowance(createLimiter(clock), () => ({
      callsPerMinute: 0,
      planCallsPerMinute: new Map(),
      toolCallsPerMinute: [],
    })),
    interactive: {
      states: createRequestStates({ seal, clock, lifetimeMs: 600_000 }),
      sessions: sessionStates,
      maxWaitMs: 2_000,
    },
    sessions: createSessions({
      seal,
      tombstones: { add: async () => {}, has: () => Promise.resolve(false) },
      clock,
      lifetimeMs: 3_600_000,
    }),
    sessionStates,
    streams,
    whoami: createWhoamiCache(clock),
    tickets: {
      report: () => Promise.resolve(ok({ ticket: 't' })),
      list: () => Promise.resolve([]),
      ownsTickets: () => false,
    },
    clock,
    log: silentLog,
  };
  const deps = { ...made, ...setup.plant?.(made) };
  const records: CallFacts[] = [];
  const challenge = createChallenge({
    canonicalUrl: 'https://gateway.example/mcp',
    baselineScopes: [],
    challengeScopes: [],
    plans: new Map(),
  });
  const edge = { admits: true };
  const endpoint = createMcpEndpoint(deps, {
    authenticator: () => ({
      authenticate: (headers) => ok(principalOf(headers.get('authorization') ?? '')),
      isStillGood: () => true,
      flush() {},
      close() {},
    }),
    challenge: () => challenge,
    audit: {
      admits: (isReadOnly) => isReadOnly || edge.admits,
      record: (facts) => records.push(facts) > 0,
    },
    pulse,
  });
  const fetch = async (request: Request) => endpoint.handle(request, () => {});
  const keyOf = (subject: string) => principalKey(issuerUrl, subject);

  return {
    clock,
    deps,
    records,
    invited,
    get admits() {
      return edge.admits;
    },
    set admits(now) {
      edge.admits = now;
    },
    caller: (subject, ...scopes) =>
      createCaller(Buffer.from(JSON.stringify([subject, ...scopes])).toString('base64url'), fetch),
    fetch,
    personalChanged(server, subject) {
      streams.personalChanged(keyOf(subject));
      linkWaits.personalChanged(backendId(server), keyOf(subject));
    },
    resourceUpdated: (server, uri, subject) =>
      streams.resourceUpdated(backendId(server), uri, subject === undefined ? undefined : keyOf(subject)),
    poll: () => catalog.poll(),
    async [Symbol.asyncDispose]() {
      streams.close();
      await catalog.close();
      linkWaits.close();
      personal.close();
      search.close();
      pulse.close();
    },
  };
}

function principalOf(authorization: string) {
  const told: unknown = JSON.parse(
    Buffer.from(authorization.slice('Bearer '.length), 'base64url').toString(),
  );
  const [subject = '', ...scopes] = Array.isArray(told) ? told.map(String) : [];
  return principal({
    issuer: issuerUrl,
    subject,
    key: principalKey(issuerUrl, subject),
    tokenScopes: scopes,
    scopes: new Set(scopes),
    scopeKey: [...scopes].sort().join(' '),
  });
}
