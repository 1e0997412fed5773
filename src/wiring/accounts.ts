import type { AuditLog } from '#audit/audit-log.ts';
import type { CallIndex } from '#audit/call-index.ts';
import type { Pseudonyms } from '#audit/pseudonyms.ts';
import type { DenyList } from '#auth/deny-list.ts';
import type { SignIn, SignInOptions } from '#auth/sign-in.ts';
import { createLimiter } from '#cluster/limiter.ts';
import { challengedScopes } from '#config/challenged-scopes.ts';
import type { Config } from '#config/config.ts';
import { linkedServerOf } from '#gateway-options.ts';
import { linked } from '#identity/linked.ts';
import type { ResolveMode } from '#identity/resolver.ts';
import type { Clock } from '#kernel/clock.ts';
import { isBackendId, randomId } from '#kernel/ids.ts';
import type { JsonObject } from '#kernel/json.ts';
import type { Log } from '#kernel/log.ts';
import { err } from '#kernel/result.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import type { Sealer } from '#keys/sealer.ts';
import type { Links } from '#mcp/links.ts';
import type { FetchJson } from '#outbound/fetch-json.ts';
import { createLibraryFetch } from '#outbound/library-fetch.ts';
import type { Outbound } from '#outbound/outbound.ts';
import type { Connection } from '#server/connection.ts';
import { networkOf } from '#server/network-of.ts';
import { linkStatus } from '#server/pages/link-status.ts';
import type { LinkableServer } from '#server/pages/linkable-server.ts';
import type { PeopleRoutes } from '#server/route-table.ts';
import { deleteSignInClient, findSignInClient, saveSignInClient } from '#store/sign-in-client-rows.ts';
import type { Store } from '#store/store.ts';
import { catalogOwner } from '#vault/catalog-owner.ts';
import type { GrantOwner } from '#vault/grant.ts';
import { createGrantTokens } from '#vault/grant-tokens.ts';
import { createLinkTickets } from '#vault/link-tickets.ts';
import type { LinkingEngine } from '#vault/linking/linking-engine.ts';
import type { Vault } from '#vault/vault.ts';
import type { CatalogLink } from './catalog-operations.ts';
import { lazy } from './lazy.ts';
import type { Settled } from './settled.ts';

export interface AccountsDeps {
  readonly current: () => Settled;
  readonly vault: Vault;
  readonly store: Store;
  readonly audit: AuditLog;
  readonly pseudonyms: Pseudonyms;
  readonly calls: CallIndex;
  /** Seals what browsers and providers carry for us. */
  readonly sealer: Sealer;
  readonly outbound: Outbound;
  readonly fetchJson: FetchJson;
  readonly denyList: Pick<DenyList, 'denies'>;
  readonly clock: Clock;
  readonly log: Log;
  /** What this owner has at the server must be read anew. */
  readonly linkingChanged: (server: string, owner: GrantOwner) => void;
}

/** As many as the index goes back. */
const monthsShown = 4;

/** Users' own accounts at servers: their tokens, how they are linked, and the pages where. */
export interface Accounts {
  /** The identity mode `linked`. */
  readonly mode: ResolveMode;
  readonly links: Links;
  readonly people: PeopleRoutes;
  /** The accounts that lists are read with. */
  readonly catalog: CatalogLink;
  /** Revokes at the provider, then deletes. */
  readonly unlink: LinkingEngine['unlink'];
  close(): Promise<void>;
}

/**
 * OAuth and the pages are loaded when they are first needed: a gateway that links nothing, and any start, does without.
 */
export function createAccounts(deps: AccountsDeps): Accounts {
  const { current, vault, store, clock, log } = deps;
  const { grants } = vault;
  const config = () => current().config;
  const origin = () => new URL(config().gateway.url).origin;
  const pageFor = (server: string, ticket: string) => `${origin()}/link/${server}?ticket=${ticket}`;
  const limiter = createLimiter(clock);
  const tickets = createLinkTickets({ store, sealer: vault.sealer, clock });
  let loaded: LinkingEngine | undefined;
  const engine = lazy(async () => {
    const { createLinkingEngine } = await import('#vault/linking/create-linking-engine.ts');
    loaded = createLinkingEngine({
      server: (id) => linkedServerOf(config(), id),
      gatewayUrl: config().gateway.url,
      clientName: current().edge.serverName,
      grants,
      store,
      sealer: vault.sealer,
      clock,
      log,
    });
    return loaded;
  });
  const tokens = createGrantTokens({
    grants,
    refresh: async (server, grant) => (await engine()).refresh(server, grant),
    revoke: async (server, grant) => (await engine()).revoke(server, grant),
    clock,
    schedule: systemSchedule,
    random: Math.random,
    log,
  });

  const signIn = lazy(async (): Promise<SignIn> => {
    const { createSignIn } = await import('#auth/sign-in.ts');
    return createSignIn({
      options: () => signInOptionsOf(current(), origin()),
      authenticator: () => current().authenticator,
      fetchJson: deps.fetchJson,
      fetch: createLibraryFetch(deps.outbound),
      sealer: deps.sealer,
      registrations: {
        load: (issuer) => findSignInClient(store, issuer),
        save: (issuer, sealed) => saveSignInClient(store, issuer, sealed),
        remove: (issuer) => deleteSignInClient(store, issuer),
      },
      clock,
      log,
    });
  });

  const pages = lazy(async () => {
    const { createPeoplePages } = await import('#server/pages/people-pages.ts');
    return createPeoplePages({
      gateway: () => ({ url: config().gateway.url, name: current().edge.serverName }),
      servers: () => linkableServers(current()),
      signIn: await signIn(),
      linking: await engine(),
      isDenied: (token) => deps.denyList.denies(token) !== undefined,
      isKnownIssuer: (issuer) => config().auth.issuers.some(({ url }) => url === issuer),
      grants,
      tickets,
      async recentCalls(owner, count) {
        return deps.calls.recent(await deps.pseudonyms.names(owner, monthsShown), count);
      },
      mayRecord: () => deps.audit.admits(false),
      async record(owner, fields) {
        return deps.audit.act('link', { user: await deps.pseudonyms.of(owner), ...fields });
      },
      linkingChanged: deps.linkingChanged,
      async authenticate(request) {
        const query = { search: new URL(request.url).search };
        const { authenticator, challenge } = current();
        const admitted = await authenticator.authenticate(request.headers, query);
        return admitted.ok ? admitted : err(challenge.answer(admitted.error, query));
      },
      limiter,
      networkOf(request, connection) {
        const address = current().doors.clientAddress(connection?.address(), request.headers);
        return address === undefined ? undefined : networkOf(address);
      },
      sealer: deps.sealer,
      clock,
      log,
    });
  });

  return {
    mode: linked({
      tokens,
      needsScopes(owner, server, scopes) {
        if (loaded !== undefined) return loaded.needsScopes(owner, server, scopes);
        void engine().then((made) => made.needsScopes(owner, server, scopes));
        return true;
      },
    }),
    links: {
      async invite(principal, server) {
        const ticket = await tickets.issue(principal, server);
        return { url: pageFor(server, ticket), id: randomId() };
      },
    },
    people: {
      handle: async (request: Request, connection: Connection | undefined) =>
        (await pages()).handle(request, connection),
      async clientDocument(name): Promise<JsonObject | undefined> {
        if (name === 'sign-in') return (await signIn()).clientDocument();
        if (name === 'command-line') return (await signIn()).commandDocument();
        return isBackendId(name) ? (await engine()).clientDocument(name) : undefined;
      },
    },
    catalog: {
      async start(server) {
        if (!readsListsLinked(current(), server)) return undefined;
        return pageFor(server, await tickets.issue(catalogOwner(server), server));
      },
      status: async (server) =>
        readsListsLinked(current(), server) ? linkStatus(grants, catalogOwner(server), server) : undefined,
    },
    async unlink(owner, server) {
      const unlinked = await (await engine()).unlink(owner, server);
      deps.linkingChanged(server, owner);
      return unlinked;
    },
    async close() {
      limiter.close();
      await (await engine.ifMade())?.close();
    },
  };
}

function linkableServers({ config }: Settled): readonly LinkableServer[] {
  return [...config.servers.values()]
    .filter(({ identity }) => identity === 'linked')
    .map(({ id, scopes }) => ({ id, title: undefined, defaultScopes: scopes.default }));
}

function readsListsLinked({ config }: Settled, id: string): boolean {
  for (const server of config.servers.values())
    if (server.id === id) return server.identity === 'linked' && server.list === 'shared';
  return false;
}

/** People sign in with what the 401 asks of agents, so that the pages show what those could use, and strangers no more. */
function signInOptionsOf(settled: Settled, origin: string): SignInOptions {
  const { config, edge } = settled;
  const { issuer, client } = config.auth.signIn;
  return {
    issuer,
    clientId: client?.id,
    clientSecret: client?.secret,
    // Entra reads it off the scopes, and refuses a request that says it twice.
    resource: presetOf(config) === 'entra' ? undefined : config.gateway.url,
    origin,
    scopes: challengedScopes(config),
    name: edge.serverName,
  };
}

/** Of the issuer that signs people in. */
function presetOf({ auth }: Config): string | undefined {
  return auth.issuers.find(({ url }) => url === auth.signIn.issuer)?.preset;
}
