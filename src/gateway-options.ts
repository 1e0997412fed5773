import { join } from 'node:path';
import type { McpBackendOptions } from '#adapter/mcp-backend.ts';
import type { StdioServerOptions } from '#adapter/stdio-host.ts';
import type { AuthOptions, IssuerOptions } from '#auth/options.ts';
import type { HttpBackendOptions } from '#backends/http-backend.ts';
import type { AssembleRules, BackendRules } from '#catalog/assemble.ts';
import type { BackendConfig, Config } from '#config/config.ts';
import type { ServerConfig } from '#config/server-config.ts';
import type { StaticCredential } from '#identity/static.ts';
import { matchesGlob } from '#kernel/glob.ts';
import { type BackendId, isBackendId } from '#kernel/ids.ts';
import { principalKey } from '#kernel/principal.ts';
import type { KeyName, KeyOrigin } from '#keys/inventory.ts';
import type { VaultKeySources } from '#keys/vault-ring.ts';
import type { AllowanceSettings } from '#mcp/allowance.ts';
import { reservedNames } from '#mcp/builtins/definitions.ts';
import { linkToolName } from '#mcp/builtins/link-tool.ts';
import type { EdgeSettings } from '#mcp/deps.ts';
import { catalogOwner } from '#vault/catalog-owner.ts';
import type { LinkedServer } from '#vault/linking/linked-server.ts';

/** The configuration's words as each part's own options. Pure. */
export function authOptionsOf(config: Config): AuthOptions {
  const { auth, gateway, plans } = config;
  return {
    canonicalUrl: gateway.url,
    issuers: auth.issuers.map(issuerOptionsOf),
    baselineScopes: auth.baselineScopes,
    challengeScopes: auth.challengeScopes,
    plans,
    scopeImplies: auth.scopeImplies,
    requiredPool: auth.requiredPool,
    maxTokenBytes: config.limits.maxTokenBytes,
  };
}

function issuerOptionsOf(issuer: Config['auth']['issuers'][number]): IssuerOptions {
  return {
    url: issuer.url,
    jwksUri: issuer.jwksUri,
    audience: issuer.audience,
    algorithms: issuer.algorithms,
    preset: issuer.preset,
    claims: issuer.claims,
    scopesCeiling: issuer.scopes,
    roleScopes: issuer.roles,
    clients: issuer.clients,
    maxTokenAgeSeconds: issuer.maxTokenAgeSeconds,
    introspection: issuer.introspection,
    dpop: issuer.dpop,
  };
}

/** Whether two configurations let the same callers in. A secret hides its value from any comparison but this one. */
export function isSameAuth(before: AuthOptions, next: AuthOptions): boolean {
  const secrets = ({ issuers }: AuthOptions) =>
    issuers.map(({ introspection }) => introspection?.client.secret?.reveal());
  return Bun.deepEquals(before, next) && Bun.deepEquals(secrets(before), secrets(next));
}

export function backendOptionsOf(
  config: Config,
  backend: BackendConfig,
  version: string,
): HttpBackendOptions {
  return {
    id: backend.id,
    url: backend.url + backend.path,
    technicalToken: backend.technicalToken,
    mode: backend.identity,
    timeoutMs: backend.timeoutMs,
    pollTimeoutMs: config.limits.pollTimeoutMs,
    maxResultBytes: backend.maxResultBytes,
    maxCatalogBytes: config.limits.maxCatalogBytes,
    maxDefinitions: config.limits.maxToolsPerBackend,
    maxConnections: backend.maxConnections,
    maxQueued: config.limits.maxQueuedCallsPerBackend,
    tickets: backend.tickets,
    catalogKeys: backend.catalogKeys,
    userAgent: `cortex-gateway/${version}`,
  };
}

/** Whether two configurations mean one and the same backend. A secret hides its value from any comparison but this one. */
export function isSameBackend(before: HttpBackendOptions, next: HttpBackendOptions): boolean {
  return Bun.deepEquals(before, next) && before.technicalToken?.reveal() === next.technicalToken?.reveal();
}

/** What a server is made with, but for the way to it. */
export function serverOptionsOf(
  config: Config,
  server: ServerConfig,
  version: string,
): Omit<McpBackendOptions, 'transport'> {
  const { limits } = config;
  return {
    id: server.id,
    mode: server.identity,
    scopes: server.scopes,
    list: server.list,
    catalogOwner: catalogOwnerOf(config, server),
    uris: server.uris,
    timeoutMs: server.timeoutMs,
    pollTimeoutMs: limits.pollTimeoutMs,
    pollIntervalMs: limits.pollIntervalMs,
    maxResultBytes: server.maxResultBytes,
    maxCatalogBytes: limits.maxCatalogBytes,
    maxDefinitions: limits.maxToolsPerBackend,
    maxConnections: server.maxConnections,
    maxQueued: limits.maxQueuedCallsPerBackend,
    // Each seat is a process: where one more is needed, one that is idle goes.
    ...(server.endpoint.kind === 'command' && { maxSeats: limits.maxProcessesPerServer }),
    idleMs: limits.serverIdleMs,
    maxParked: limits.maxParkedCalls,
    maxParkedPerPrincipal: limits.maxParkedCallsPerPrincipal,
    clientInfo: { name: 'cortex-gateway', version },
  };
}

/** Whose account lists what everybody sees: the one that is named, else the catalog's own. */
export function catalogOwnerOf(config: Config, { id, identity, list, linking }: ServerConfig) {
  if (identity !== 'linked' || list !== 'shared') return undefined;
  const { catalogSubject } = linking;
  if (catalogSubject === undefined) return catalogOwner(id);
  const issuer = config.auth.issuers[0]?.url ?? '';
  return { issuer, subject: catalogSubject, key: principalKey(issuer, catalogSubject) };
}

/** How a server that is a command is run; undefined for one that is not. */
export function commandOptionsOf(
  config: Config,
  { id, endpoint, identity, maxResultBytes }: ServerConfig,
  path: string,
): StdioServerOptions | undefined {
  if (endpoint.kind !== 'command' || identity === 'linked') return undefined;
  const { command, env, cwd, process } = endpoint;
  return {
    id,
    command,
    env,
    path,
    cwd,
    process,
    mode: identity,
    // A list is one message, too.
    maxLineBytes: Math.max(maxResultBytes, config.limits.maxCatalogBytes),
    maxChildren: config.limits.maxProcessesPerServer,
  };
}

/** Whether one server is the same in both: all that decides how it is reached, called and listed. */
export function isSameServer(before: Config, next: Config, id: BackendId): boolean {
  const [old, now] = [before.servers.get(id), next.servers.get(id)];
  if (old === undefined || now === undefined) return false;
  const parts = (config: Config, server: ServerConfig) => [server, serverOptionsOf(config, server, '')];
  return (
    Bun.deepEquals(parts(before, old), parts(next, now)) &&
    before.limits.maxProcessesPerServer === next.limits.maxProcessesPerServer &&
    Bun.deepEquals(secretsOf(old), secretsOf(now))
  );
}

function secretsOf({ token, endpoint, linking }: ServerConfig): readonly (string | undefined)[] {
  const env = endpoint.kind === 'command' ? [...endpoint.env.values()] : [];
  return [token, linking.client?.secret, ...env].map((secret) => secret?.reveal());
}

export function serverRulesOf(server: ServerConfig): BackendRules {
  return {
    prefix: server.prefix,
    include: server.include,
    exclude: server.exclude,
    hasHelp: false,
    sharesSchemes: server.uris === 'rewrite',
  };
}

/** Each set of scopes that opens something of a server. */
export function serverScopeSets({ scopes }: ServerConfig): readonly (readonly string[])[] {
  return [scopes.default, ...scopes.tools.values()];
}

export function backendRulesOf(config: Config, id: BackendId): BackendRules {
  const backend = config.backends.get(id);
  return {
    prefix: backend?.prefix ?? id,
    include: backend?.include ?? [],
    exclude: backend?.exclude ?? [],
    hasHelp: true,
    sharesSchemes: false,
  };
}

/** What a server acts with, for everybody. Undefined: it is not one of those. */
export function staticCredentialOf(config: Config, id: BackendId): StaticCredential | undefined {
  const server = config.servers.get(id);
  if (server?.identity !== 'static') return undefined;
  const { token, endpoint } = server;
  if (endpoint.kind === 'command') return { token: undefined, allowHttp: false };
  return token && { token, allowHttp: endpoint.allowHttp };
}

/** How accounts are linked at a server. Undefined: there is no such server, or nobody links one there. */
export function linkedServerOf(config: Config, id: string): LinkedServer | undefined {
  const server = isBackendId(id) ? config.servers.get(id) : undefined;
  if (server?.identity !== 'linked' || server.endpoint.kind !== 'url') return undefined;
  const { url, allowHttp } = server.endpoint;
  return { url, allowHttp, ...server.linking };
}

export function assembleRulesOf(config: Config): AssembleRules {
  return {
    maxLength: config.limits.maxPublicNameLength,
    reserved: new Set([...reservedNames, ...[...config.servers.keys()].map(linkToolName)]),
    formerNameGraceMs: config.limits.formerNameGraceMs,
    reservedSchemes: new Set(['cortex']),
  };
}

export function allowanceOf({ limits }: Config): AllowanceSettings {
  return {
    callsPerMinute: limits.callsPerMinute,
    planCallsPerMinute: limits.planCallsPerMinute,
    toolCallsPerMinute: [...limits.toolCallsPerMinute].map(([pattern, perMinute]) => ({
      pattern,
      matches: (publicName) => matchesGlob(pattern, publicName),
      perMinute,
    })),
  };
}

export function edgeSettingsOf(config: Config, version: string): EdgeSettings {
  return {
    missingScope: config.auth.missingScope,
    serverName: config.gateway.serverName ?? 'cortex-gateway',
    serverVersion: version,
    websiteUrl: config.gateway.websiteUrl,
    listTtlMs: config.limits.pollIntervalMs,
    maxRequestBodyBytes: config.limits.maxRequestBodyBytes,
  };
}

export function keyOriginsOf({ keys }: Config): Readonly<Record<KeyName, KeyOrigin>> {
  const { seal, audit, checkpoint, assertion } = keys;
  return { seal, audit, checkpoint, assertion };
}

export function vaultKeySourcesOf({ keys }: Config): VaultKeySources {
  return { ...keys.vault, generated: join(keys.dir, 'vault.key') };
}

export function auditOptionsOf({ audit }: Config) {
  const { dir, durability, onFailure, rotateBytes, retentionDays } = audit;
  return { dir, durability, onFailure, rotateBytes, retentionMs: retentionDays * 24 * 3_600_000 };
}

const linksAccounts = ({ servers }: Config) =>
  [...servers.values()].some(({ identity }) => identity === 'linked');

/** The settings that a running gateway cannot take over. */
export function restartReasons(before: Config, next: Config): readonly string[] {
  const fixed: readonly (readonly [string, (config: Config) => unknown])[] = [
    ['state_dir', (config) => config.stateDir],
    ['gateway.listen', (config) => config.gateway.listen],
    ['admin.listen', (config) => config.admin.listen],
    // Providers know the gateway by its old address.
    ['gateway.url', (config) => linksAccounts(before) && linksAccounts(next) && config.gateway.url],
    ['keys', (config) => config.keys],
    ['store', (config) => config.store],
    ['audit', (config) => config.audit],
    ['integrity.baseline', (config) => config.integrity.baseline],
    ['integrity.public_key', (config) => config.integrity.publicKey],
    ['log', (config) => config.log],
    ['limits.session_lifetime', (config) => config.limits.sessionLifetimeMs],
    ['limits.poll_interval', (config) => config.limits.pollIntervalMs],
    ['limits.poll_timeout', (config) => config.limits.pollTimeoutMs],
    ['limits.processes', (config) => config.limits.maxProcesses],
    ['limits.stale_grace', (config) => config.limits.staleGraceMs],
    ['limits.subscriptions_per_session', (config) => config.limits.maxSessionSubscriptions],
  ];
  return fixed.filter(([, read]) => !Bun.deepEquals(read(before), read(next))).map(([name]) => name);
}
