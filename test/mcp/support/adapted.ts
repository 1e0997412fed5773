import { createMcpBackend, type McpBackend, type McpBackendOptions } from '#adapter/mcp-backend.ts';
import type { PersonalLists } from '#backends/backend.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { err, ok } from '#kernel/result.ts';
import { createSocketOutbound } from '#outbound/socket-outbound.ts';
import { backendId } from '../../backends/backend-id.ts';
import { createEdge, type Edge, type EdgeSetup } from './edge.ts';

export interface Adapted extends AsyncDisposable {
  readonly edge: Edge;
  /** Links or unlinks somebody's account, as the pages do. */
  link(subject: string, token: string | undefined): void;
}

/** The real edge over the real adapter, over a server at `url`: `srv`, which each person uses with its own token. */
export async function createAdapted(
  url: string,
  tokens: Readonly<Record<string, string>>,
  setup: { readonly options?: Partial<McpBackendOptions>; readonly edge?: EdgeSetup } = {},
): Promise<Adapted> {
  const outbound = createSocketOutbound();
  const held = new Map(Object.entries(tokens));
  let edge: Edge | undefined;
  const backend = createMcpBackend(
    {
      id: backendId('srv'),
      transport: { kind: 'http', url },
      mode: 'linked',
      scopes: { default: ['mcp:srv'], tools: new Map() },
      list: 'private',
      catalogOwner: undefined,
      uris: 'rewrite',
      timeoutMs: 3_000,
      pollTimeoutMs: 2_000,
      pollIntervalMs: 60_000,
      maxResultBytes: 1_000_000,
      maxConnections: 16,
      idleMs: 600_000,
      maxParked: 8,
      maxParkedPerPrincipal: 2,
      clientInfo: { name: 'cortex-gateway', version: '0' },
      ...setup.options,
    },
    {
      outbound,
      identity: {
        resolve({ subject }) {
          const token = held.get(subject);
          return token === undefined
            ? err({ reason: 'link_required', message: 'Link your account.' })
            : ok({ mode: 'linked', headers: { Authorization: `Bearer ${token}` } });
        },
      },
      clock: systemClock,
      random: () => 0.5,
      log: silentLog,
      events: {
        catalogChanged: () => {},
        personalChanged(id, key) {
          edge?.deps.streams.personalChanged(key);
          edge?.deps.linkWaits.personalChanged(id, key);
        },
        resourceUpdated: (id, uri, key) => edge?.deps.streams.resourceUpdated(id, uri, key),
      },
    },
  );
  if (!isPersonal(backend)) throw new Error('a linked server has lists of its own for each');
  edge = await createEdge({ servers: [{ server: { backend } }], deadlineMs: 2_000, ...setup.edge });
  const made = edge;
  return {
    edge: made,
    link(subject, token) {
      if (token === undefined) held.delete(subject);
      else held.set(subject, token);
      backend.linkingChanged(JSON.stringify(['https://issuer.example', subject]));
    },
    async [Symbol.asyncDispose]() {
      await made[Symbol.asyncDispose]();
      await backend.close();
      await outbound.close();
    },
  };
}

function isPersonal(backend: McpBackend): backend is McpBackend & { readonly personal: PersonalLists } {
  return backend.personal !== undefined;
}
