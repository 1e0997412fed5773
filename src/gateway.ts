import type { Authenticator } from '#auth/authenticate.ts';
import { createDpop } from '#auth/dpop.ts';
import { protectedResourceMetadata } from '#auth/protected-resource.ts';
import { createCatalog } from '#catalog/catalog.ts';
import { logCatalogChange } from '#catalog/log-change.ts';
import { createToolSearch } from '#catalog/search.ts';
import { createStoredCatalog } from '#catalog/stored-catalog.ts';
import { uriScheme } from '#catalog/uri-scheme.ts';
import { createLocalBus } from '#cluster/bus.ts';
import { createLimiter } from '#cluster/limiter.ts';
import type { Config } from '#config/config.ts';
import { auditOptionsOf, authOptionsOf, keyOriginsOf, restartReasons } from '#gateway-options.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import type { Log } from '#kernel/log.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { openKeyInventory } from '#keys/inventory.ts';
import { describeKeyProblem } from '#keys/key-problem.ts';
import { createSealer } from '#keys/sealer.ts';
import { createAllowance } from '#mcp/allowance.ts';
import { createBuiltins } from '#mcp/builtins/registry.ts';
import { createWhoamiCache } from '#mcp/builtins/whoami.ts';
import type { EdgeDeps } from '#mcp/deps.ts';
import { createMcpEndpoint } from '#mcp/endpoint.ts';
import { createLinkWaits } from '#mcp/link-waits.ts';
import { createPersonal } from '#mcp/personal.ts';
import { createPulse } from '#mcp/pulse.ts';
import { createRequestStates } from '#mcp/request-state.ts';
import { createStreams } from '#mcp/streams.ts';
import { createViews } from '#mcp/views.ts';
import { createFetchJson } from '#outbound/fetch-json.ts';
import { createOutbound } from '#outbound/outbound.ts';
import { createSocketOutbound } from '#outbound/socket-outbound.ts';
import { type AdminApp, createAdminApp } from '#server/admin/admin-app.ts';
import { createApp } from '#server/app.ts';
import { handleCatalogChanged } from '#server/catalog-changed.ts';
import type { Connection } from '#server/connection.ts';
import type { Operations } from '#server/operation.ts';
import { routeTable } from '#server/route-table.ts';
import { createSecurityEvents } from '#server/security-events.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import { createTicketDesk } from '#tickets/ticket-desk.ts';
import type { Vault } from '#vault/vault.ts';
import { createVaultDesk } from '#vault/vault-desk.ts';
import { createAccounts } from '#wiring/accounts.ts';
import { createBackends } from '#wiring/backends.ts';
import { openCatalogMarks } from '#wiring/catalog-marks.ts';
import { openConfiguredVault } from '#wiring/configured-vault.ts';
import { consoleSource } from '#wiring/console-source.ts';
import { feedOptionsOf, openFeeds } from '#wiring/feeds.ts';
import { createIdentities } from '#wiring/identities.ts';
import { createIntegrity } from '#wiring/integrity.ts';
import { createKeptSessions, sweepStore } from '#wiring/kept-sessions.ts';
import { createOperations } from '#wiring/operations.ts';
import { openRecords } from '#wiring/records.ts';
import { openRevocations } from '#wiring/revocation.ts';
import { settle } from '#wiring/settled.ts';
import { orStartError, StartError } from '#wiring/start-error.ts';
import { createWatched } from '#wiring/watched.ts';

export interface GatewayDeps {
  readonly log: Log;
  readonly clock: Clock;
  readonly version: string;
  /** Development: whatever came through a proxy is refused. */
  readonly isDev?: boolean;
  /** Runs the guard over the servers that are commands: this executable again. Undefined: none of them can be run. */
  readonly guardCommand?: readonly string[];
  /** The `PATH` on which those are looked for, and which they get. */
  readonly path?: string;
  /** Gets audit lines where the configuration asks for them. */
  readonly stdout: (text: string) => void;
  /** Reads the configuration anew, and gives what is wrong with it. Undefined: operators cannot ask for it. */
  readonly reload?: () => Promise<readonly string[]>;
  /** What stands in the place of a part, made from it: how tests plant a fault, to see that it is found. */
  readonly instead?: {
    readonly store?: (store: Store) => Store;
    readonly vault?: (vault: Vault) => Vault;
    readonly edge?: (edge: EdgeDeps) => EdgeDeps;
  };
}

/** The gateway without its socket: every part built, wired and, at the end, closed in order. */
export interface Gateway {
  fetch(request: Request, connection?: Connection): Response | Promise<Response>;
  readonly catalog: Catalog;
  /** What operators may ask. */
  readonly operations: Operations;
  /** The same behind tokens, for a listener of its own. */
  readonly admin: AdminApp;
  /** Reads again what commands may have revoked while the gateway was starting: once it can be asked. */
  readRevocations(): Promise<void>;
  /** Resolves when every backend has answered or failed once. */
  settled(): Promise<void>;
  /** Takes over a new configuration; what it returns holds only after a restart. */
  reload(next: Config): readonly string[];
  /** `/readyz` says no, streams end with a result, calls finish; the rest is cut after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}
type Catalog = ReturnType<typeof createCatalog>;

/** Builds a gateway and begins to poll. Throws a {@link StartError} where a key, the store or the audit cannot be opened. */
export async function createGateway(config: Config, deps: GatewayDeps): Promise<Gateway> {
  const { log, clock, version, instead } = deps;
  const keys = openKeyInventory(config.keys.dir, keyOriginsOf(config));
  if (!keys.ok) throw new StartError(describeKeyProblem(keys.error));
  const store = orStartError(`the store ${config.store.path} cannot be opened`, () => {
    const opened = openSqliteStore(config.store.path);
    return instead?.store?.(opened) ?? opened;
  });
  const sealer = createSealer(keys.value.seal);
  const outbound = createOutbound();
  const backendOutbound = createSocketOutbound({ maxConnections: limits.maxConnectionsPerBackend });
  const fetchJson = createFetchJson(outbound);
  const limiter = createLimiter(clock);
  const refusals = createLimiter(clock);
  const pulse = createPulse(clock, limits.pulseMs);
  const watched = createWatched(config, clock);
  const startedAt = clock.now();
  let isDraining = false;

  const records = await openRecords({
    config,
    keys: keys.value,
    store,
    clock,
    log,
    stdout: deps.stdout,
    outbound,
    version,
    watch: watched?.recorded,
  });
  const { audit } = records;

  const revocations = await openRevocations({
    config: () => current.config,
    store,
    bus: createLocalBus(),
    ...records,
    clock,
    log,
  });
  const { denyList } = revocations;
  const feeds = openFeeds(config, { denyList, outbound, fetchJson, clock, log });
  const settleDeps = {
    fetchJson,
    outbound,
    denyList,
    dpop: createDpop({ sealer, clock }),
    feedHealth: feeds,
    clock,
    log,
    version,
    isDev: deps.isDev ?? false,
    pollIntervalMs: config.limits.pollIntervalMs,
  };
  let current = settle(config, undefined, settleDeps);
  const vault = await openConfiguredVault({ config, store, clock, log, instead: instead?.vault }, 'create');
  if (!vault.ok) throw new StartError(vault.error);

  const accounts = createAccounts({
    current: () => current,
    vault: vault.value,
    store,
    ...records,
    sealer,
    outbound,
    fetchJson,
    denyList,
    clock,
    log,
    linkingChanged: (server, owner) => backends.linkingChanged(server, owner.key),
  });
  const identities = createIdentities({
    current: () => current,
    linked: accounts.mode,
    snapshot: () => guard.snapshot(),
    assertionKeys: keys.value.assertion,
    denyList,
    outbound,
    fetchJson,
    clock,
    log,
  });

  const signedMarks = await openCatalogMarks(store, log);
  const backends = createBackends(config, {
    signedMarks,
    outbound: backendOutbound,
    identity: identities.resolver,
    isDenied: (principal) => denyList.denies(principal) !== undefined,
    events: {
      catalogChanged: (id) => catalog.requestPoll(id),
      personalChanged(id, principalKey) {
        streams.personalChanged(principalKey);
        linkWaits.personalChanged(id, principalKey);
      },
      resourceUpdated: (id, uri, principalKey) => streams.resourceUpdated(id, uri, principalKey),
    },
    clock,
    log,
    version,
    guardCommand: deps.guardCommand,
    path: deps.path ?? '',
  });

  denyList.onDenied((isDenied) => ({ calls: backends.endDenied(isDenied) }));

  const catalog = createCatalog({
    backends: backends.catalog(),
    rules: current.rules,
    limits: config.limits,
    clock,
    schedule: systemSchedule,
    random: Math.random,
    log,
    ...(watched && { onPolled: watched.polled }),
    store: createStoredCatalog(store),
  });
  const { guard, desk: integrity } = createIntegrity({
    config: () => current.config,
    catalog,
    store,
    checkpointKeys: keys.value.checkpoint,
    pinsNew: true,
    clock,
    schedule: systemSchedule,
    log,
    act: audit.act,
  });
  const views = createViews({
    maxEntries: limits.maxViewCacheEntries,
    maxBytes: limits.maxViewCacheBytes,
    pageSize: limits.listPageSize,
  });
  const personal = createPersonal({
    servers: backends.personal,
    rules: () => current.rules,
    guard: guard.personal,
    schedule: systemSchedule,
    log,
    deadlineMs: limits.personalListsDeadlineMs,
    maxItems: limits.maxPersonalItems,
    onLate: (principalKey) => streams.personalChanged(principalKey),
  });
  const isStillGood: Authenticator['isStillGood'] = (principal) =>
    current.authenticator.isStillGood(principal);
  const streams = createStreams({
    views,
    personal,
    snapshot: guard.snapshot,
    clock,
    pulse,
    isStillGood,
    debounceMs: limits.listChangedDebounceMs,
    bounds: () => current.config.limits,
  });
  const { sessions, sessionStates } = createKeptSessions({ config, sealer, store, clock });
  const search = createToolSearch({ maxIndexedTools: limits.maxIndexedTools });
  const tickets = createTicketDesk({
    store,
    clock,
    log,
    outbound,
    webhookUrl: () => current.config.tickets.webhookUrl,
    ownsTickets: (id) => current.config.backends.get(id)?.tickets ?? false,
  });
  const linkWaits = createLinkWaits({
    backend: backends.get,
    streams,
    clock,
    lifetimeMs: limits.requestStateLifetimeMs,
    callWaitMs: limits.linkWaitMs,
  });
  const edgeDeps: EdgeDeps = {
    settings: () => current.edge,
    snapshot: guard.snapshot,
    backend: backends.get,
    denyList,
    isStillGood,
    views,
    personal,
    links: accounts.links,
    linkWaits,
    builtins: createBuiltins(search),
    allowance: createAllowance(limiter, () => current.allowance),
    interactive: {
      states: createRequestStates({ seal: sealer, clock, lifetimeMs: limits.requestStateLifetimeMs }),
      sessions: sessionStates,
      maxWaitMs: limits.maxCallTimeoutMs,
    },
    sessions,
    sessionStates,
    streams,
    whoami: createWhoamiCache(clock),
    tickets,
    clock,
    log,
  };
  const endpoint = createMcpEndpoint(instead?.edge?.(edgeDeps) ?? edgeDeps, {
    authenticator: () => current.authenticator,
    challenge: () => current.challenge,
    audit,
    pulse,
    watch: watched?.call,
  });
  catalog.onChange((before, after) => logCatalogChange(log, before, after));
  guard.onChange(streams.catalogChanged);
  if (watched !== undefined) guard.onChange(watched.history.note);

  /** What anybody may know of this gateway. */
  const publicFace = () => {
    const { url, websiteUrl } = current.config.gateway;
    const sharesOrigin = current.config.auth.issuers.some((issuer) => isSameOrigin(issuer.url, url));
    return { url, websiteUrl, name: current.edge.serverName, sharesOrigin };
  };
  const app = createApp({
    routes: routeTable({
      mcp: endpoint.handle,
      metadata: (search) => protectedResourceMetadata(authOptionsOf(current.config), { search }),
      gateway: () => ({
        ...publicFace(),
        name: current.config.gateway.serverCardName ?? current.edge.serverName,
      }),
      keySet: identities.keySet,
      catalogChanged: (request) =>
        handleCatalogChanged(
          {
            backends: () => [...current.config.backends.values()],
            requestPoll: catalog.requestPoll,
            resourcesUpdated(of, uris) {
              const own = uris.filter((uri) => of.some((id) => ownsUri(id, uri)));
              streams.resourcesUpdated(own);
            },
          },
          request,
        ),
      securityEvents: createSecurityEvents(feeds),
      async frontPage(request) {
        const { answerFrontPage } = await import('#server/pages/front-page.ts');
        return answerFrontPage(request, publicFace());
      },
      async explainRefusal(refusal) {
        const { explainRefusal } = await import('#server/pages/front-page.ts');
        return explainRefusal(refusal, publicFace());
      },
      isReady: () => !isDraining,
      people: accounts.people,
    }),
    doors: () => current.doors,
    refusals,
    log,
  });

  function ownsUri(id: BackendId, uri: string): boolean {
    return (
      catalog
        .snapshot()
        .backends.get(id)
        ?.schemes.includes(uriScheme(uri) ?? '') ?? false
    );
  }

  const mayRecord = () => audit.admits(false);
  const operations = createOperations({
    version,
    isReady: () => !isDraining,
    reload: deps.reload,
    vault: createVaultDesk({
      vault: vault.value,
      unlink: accounts.unlink,
      denyTokens: revocations.denyTokensOf,
      issuers: () => current.config.auth.issuers.map(({ url }) => url),
      pseudonyms: records.pseudonyms,
      act: audit.act,
    }),
    catalog: { snapshot: guard.snapshot, poll: () => catalog.poll() },
    integrity,
    catalogLink: accounts.catalog,
    sight: { authenticator: () => current.authenticator, snapshot: guard.snapshot, personal },
    feeds,
    audit: { status: audit.status, reveal: records.reveal },
    revocation: {
      denyList,
      issuers: () => current.config.auth.issuers.map(({ url }) => url),
      personOf: (name) => records.pseudonyms.personOf(name, auditOptionsOf(current.config).retentionMs),
    },
    mayRecord,
    act: audit.act,
  });
  const adminFailures = createLimiter(clock);
  const admin = createAdminApp({
    settings: () => current.config.admin,
    operations,
    addressOf: (request, connection) => current.doors.clientAddress(connection?.address(), request.headers),
    failures: adminFailures,
    console:
      watched &&
      (async (door) => {
        const { createConsole } = await import('#server/admin/console/console.ts');
        const source = consoleSource(
          {
            current: () => current,
            vault: vault.value,
            ...records,
            catalog,
            guard,
            integrity,
            backends,
            feeds,
            mayRecord,
          },
          { version, startedAt, isReady: () => !isDraining, watched },
        );
        return createConsole({ door, source, clock, schedule: systemSchedule });
      }),
    mayRecord,
    act: (fields) => audit.act('admin', fields),
    clock,
    log,
  });

  const endSweeps = sweepStore(store, clock, log);
  await guard.open();
  await catalog.start();

  return {
    fetch: app.fetch,
    catalog,
    operations,
    admin,
    readRevocations: denyList.readKept,
    async settled() {
      await catalog.settled();
      guard.snapshot();
    },
    reload(next) {
      const before = { ...current };
      const made = settle(next, current, settleDeps);
      const closeReplaced = backends.replace(next);
      current = made;
      feeds.replace(feedOptionsOf(next));
      guard.settle();
      catalog.replaceBackends(backends.catalog(), made.rules);
      streams.serversReplaced();
      if (before.authenticator !== made.authenticator) before.authenticator.close();
      void closeReplaced();
      // Streams carry the principal that opened them; under other rules of who may come in, they start again.
      if (before.authenticator !== made.authenticator) streams.endAll();
      return restartReasons(before.config, next);
    },
    async drain(timeoutMs) {
      isDraining = true;
      streams.endAll();
      linkWaits.close();
      await admin.close();
      await endpoint.drain(timeoutMs);
    },
    async close() {
      endSweeps();
      streams.close();
      sessionStates.close();
      await catalog.close();
      await guard.close();
      await backends.close();
      await accounts.close();
      current.authenticator.close();
      await feeds.close();
      tickets.close();
      await vault.value.close();
      denyList.close();
      await revocations.recorded();
      await audit.close();
      await Promise.all([backendOutbound.close(), outbound.close()]);
      sessions.close();
      views.close();
      linkWaits.close();
      personal.close();
      search.close();
      limiter.close();
      refusals.close();
      adminFailures.close();
      pulse.close();
      await store.close();
    },
  };
}

function isSameOrigin(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin;
}
