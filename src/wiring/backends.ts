import { createMcpBackend, type McpBackend, type McpBackendOptions } from '#adapter/mcp-backend.ts';
import { createStdioHost, type StdioHost } from '#adapter/stdio-host.ts';
import type { Backend, BackendEvents, IdentityResolver } from '#backends/backend.ts';
import { createHttpBackend } from '#backends/http-backend.ts';
import type { SignedMarks } from '#backends/signed-list.ts';
import type { CatalogBackend } from '#catalog/backend-entry.ts';
import type { Config } from '#config/config.ts';
import type { ServerConfig } from '#config/server-config.ts';
import {
  backendOptionsOf,
  backendRulesOf,
  catalogOwnerOf,
  commandOptionsOf,
  isSameBackend,
  isSameServer,
  serverOptionsOf,
  serverRulesOf,
  serverScopeSets,
} from '#gateway-options.ts';
import type { Clock } from '#kernel/clock.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { Log } from '#kernel/log.ts';
import type { Principal } from '#kernel/principal.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import type { PersonalServer } from '#mcp/personal-servers.ts';
import type { Outbound } from '#outbound/outbound.ts';

export interface BackendsDeps {
  readonly outbound: Outbound;
  readonly identity: IdentityResolver;
  readonly isDenied: (principal: Principal) => boolean;
  readonly events: BackendEvents;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** When each signed list of a backend was signed. */
  readonly signedMarks?: (id: BackendId) => SignedMarks;
  /** Runs the guard over children. Undefined: no command is run. */
  readonly guardCommand: readonly string[] | undefined;
  /** The gateway's own `PATH`. */
  readonly path: string;
}

/** Every application and server behind the gateway, made by the configuration; replaced one by one. */
export interface Backends {
  get(id: BackendId): Backend | undefined;
  readonly catalog: () => readonly CatalogBackend[];
  /** Those that show each principal something of its own; the same list until a reload. */
  readonly personal: () => readonly PersonalServer[];
  /** An account was linked or unlinked there. */
  linkingChanged(server: string, principalKey: string): void;
  /** Ends what servers keep open for a token that is denied; returns how many calls had waited there. */
  endDenied(isDenied: (principal: Principal) => boolean): number;
  /** Makes what `next` has and what is not there yet; returns how to close what it has no more. */
  replace(next: Config): () => Promise<void>;
  close(): Promise<void>;
}

interface Held {
  readonly backend: Backend;
  readonly rules: CatalogBackend['rules'];
  /** Of a server. */
  readonly server: { readonly mcp: McpBackend; readonly personal: PersonalServer | undefined } | undefined;
}

export function createBackends(first: Config, deps: BackendsDeps): Backends {
  const { clock, log } = deps;
  const common = { ...deps, random: Math.random };
  let config = first;
  let held: ReadonlyMap<BackendId, Held> = new Map();
  let personal: readonly PersonalServer[] = [];
  let host: StdioHost | undefined;

  /** The host of all children, made with the first of them. */
  function hostOf(guardCommand: readonly string[]): StdioHost {
    host ??= createStdioHost({
      guardCommand,
      maxChildren: first.limits.maxProcesses,
      log,
      clock,
      random: Math.random,
      schedule: systemSchedule,
    });
    return host;
  }

  function transportOf(server: ServerConfig, next: Config): McpBackendOptions['transport'] | undefined {
    if (server.endpoint.kind === 'url') return { kind: 'http', url: server.endpoint.url };
    const command = commandOptionsOf(next, server, deps.path);
    if (command === undefined || deps.guardCommand === undefined) return undefined;
    return { kind: 'wires', wires: hostOf(deps.guardCommand).wires(command) };
  }

  function makeServer(server: ServerConfig, next: Config): Held | undefined {
    const transport = transportOf(server, next);
    if (transport === undefined) {
      log.error('server.not_started', { server: server.id, problem: 'no_guard' });
      return undefined;
    }
    const mcp = createMcpBackend({ ...serverOptionsOf(next, server, deps.version), transport }, common);
    return heldServer(mcp, server);
  }

  function heldServer(mcp: McpBackend, server: ServerConfig): Held {
    const rules = serverRulesOf(server);
    const linkScopes = server.identity === 'linked' ? server.scopes.default : undefined;
    const scopeSets = serverScopeSets(server);
    const own = isPersonal(mcp) ? { backend: mcp, rules, scopeSets, linkScopes } : undefined;
    return { backend: mcp, rules, server: { mcp, personal: own } };
  }

  /** Only what is different is made anew: with a backend go its connections, its breaker and its last poll. */
  function make(next: Config): ReadonlyMap<BackendId, Held> {
    const made = new Map<BackendId, Held>();
    for (const [id, configured] of next.backends) {
      const before = config.backends.get(id);
      const options = backendOptionsOf(next, configured, deps.version);
      const isSame = before && isSameBackend(backendOptionsOf(config, before, deps.version), options);
      const backend =
        (isSame && held.get(id)?.backend) ||
        createHttpBackend(options, { ...common, signedMarks: deps.signedMarks?.(id) });
      made.set(id, { backend, rules: backendRulesOf(next, id), server: undefined });
    }
    for (const [id, server] of next.servers) {
      const before = held.get(id)?.server;
      const kept = before && isSameServer(config, next, id) ? heldServer(before.mcp, server) : undefined;
      const one = kept ?? makeServer(server, next);
      if (one !== undefined) made.set(id, one);
    }
    return made;
  }

  function take(next: Config): readonly Backend[] {
    const before = held;
    held = make(next);
    config = next;
    personal = [...held.values()].flatMap(({ server }) => server?.personal ?? []);
    const kept = new Set([...held.values()].map(({ backend }) => backend));
    return [...before.values()].map(({ backend }) => backend).filter((backend) => !kept.has(backend));
  }
  take(first);

  return {
    get: (id) => held.get(id)?.backend,
    catalog: () => [...held.values()],
    personal: () => personal,
    linkingChanged(where, principalKey) {
      for (const [id, one] of held) {
        if (id !== where) continue;
        one.server?.mcp.linkingChanged(principalKey);
        const server = config.servers.get(id);
        const listsAreReadAs = server && catalogOwnerOf(config, server);
        if (listsAreReadAs?.key === principalKey) deps.events.catalogChanged(id);
      }
    },
    endDenied: (isDenied) =>
      [...held.values()].reduce((calls, { server }) => calls + (server?.mcp.endDenied(isDenied) ?? 0), 0),
    replace(next) {
      const gone = take(next);
      return async () => {
        await Promise.all(gone.map((backend) => backend.close()));
      };
    },
    async close() {
      await Promise.all([...held.values()].map(({ backend }) => backend.close()));
      await host?.close();
    },
  };
}

function isPersonal(backend: Backend): backend is PersonalServer['backend'] {
  return backend.personal !== undefined;
}
