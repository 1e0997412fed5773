import type { Feeds } from '#auth/feeds/feeds.ts';
import { withImplied } from '#auth/scope-implications.ts';
import type { Catalog } from '#catalog/catalog.ts';
import type { Config } from '#config/config.ts';
import type { IntegrityGuard } from '#integrity/guard.ts';
import type { IntegrityDesk } from '#integrity/integrity-desk.ts';
import type { BackendId } from '#kernel/ids.ts';
import type { ConsoleSource, SourceBackend } from '#server/admin/console/console-source.ts';
import type { Vault } from '#vault/vault.ts';
import type { Backends } from './backends.ts';
import type { Records } from './records.ts';
import type { Settled } from './settled.ts';
import type { Watched } from './watched.ts';

/** Everything that the operators' console shows, read from the parts that know it. */
export function consoleSource(
  parts: Pick<Records, 'audit' | 'pseudonyms'> & {
    readonly current: () => Settled;
    readonly vault: Vault;
    readonly catalog: Pick<Catalog, 'states'>;
    readonly guard: Pick<IntegrityGuard, 'snapshot'>;
    readonly integrity: Pick<IntegrityDesk, 'status'>;
    readonly backends: Pick<Backends, 'get'>;
    readonly feeds: Pick<Feeds, 'reports'>;
    readonly mayRecord: () => boolean;
  },
  process: {
    readonly version: string;
    readonly startedAt: number;
    readonly isReady: () => boolean;
    readonly watched: Watched;
  },
): ConsoleSource {
  const { vault, pseudonyms, audit } = parts;
  const config = () => parts.current().config;
  const { records, series, history } = process.watched;
  return {
    version: process.version,
    startedAt: process.startedAt,
    isReady: process.isReady,
    name: () => config().gateway.serverCardName ?? parts.current().edge.serverName,
    mayRecord: parts.mayRecord,
    auditStatus: audit.status,
    snapshot: parts.guard.snapshot,
    states: parts.catalog.states,
    backend(id) {
      const health = parts.backends.get(id)?.health();
      const about = describe(config(), id);
      return health && about && { ...about, health };
    },
    plans() {
      const { plans, auth } = config();
      return new Map([...plans].map(([name, scopes]) => [name, withImplied(scopes, auth.scopeImplies)]));
    },
    issuers: () => config().auth.issuers.map(({ url }) => url),
    integrity: parts.integrity.status,
    lostFeeds: () => parts.feeds.reports().flatMap(({ issuer, isLost }) => (isLost ? [issuer] : [])),
    records,
    series,
    history,
    async holders(skip, take) {
      const { users, total } = await vault.userPage(skip, take);
      const holders = users.map(async ({ owner, grants }) => ({
        pseudonym: await pseudonyms.of(owner),
        grants: grants.map(({ account: _name, ...grant }) => grant),
      }));
      return { holders: await Promise.all(holders), total };
    },
  };
}

function describe(config: Config, id: BackendId): Omit<SourceBackend, 'health'> | undefined {
  const backend = config.backends.get(id);
  if (backend !== undefined)
    return { kind: 'application', identity: backend.identity, place: hostOf(backend.url) };
  const server = config.servers.get(id);
  if (server === undefined) return undefined;
  const { endpoint, identity } = server;
  return {
    kind: 'server',
    identity,
    place: endpoint.kind === 'url' ? hostOf(endpoint.url) : 'a command on this machine',
  };
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? '-';
}
