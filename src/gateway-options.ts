import { join } from 'node:path';
import type { AuthOptions, IssuerOptions } from '#auth/options.ts';
import type { HttpBackendOptions } from '#backends/http-backend.ts';
import type { AssembleRules, BackendRules } from '#catalog/assemble.ts';
import type { BackendConfig, Config } from '#config/config.ts';
import { matchesGlob } from '#kernel/glob.ts';
import { type BackendId, isBackendId } from '#kernel/ids.ts';
import type { KeyName, KeyOrigin } from '#keys/inventory.ts';
import type { VaultKeySources } from '#keys/vault-ring.ts';
import type { AllowanceSettings } from '#mcp/allowance.ts';
import { reservedNames } from '#mcp/builtins/definitions.ts';
import { linkToolName } from '#mcp/builtins/link-tool.ts';
import type { EdgeSettings } from '#mcp/deps.ts';
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
    maxTokenAgeSeconds: issuer.maxTokenAgeSeconds,
  };
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
    userAgent: `cortex-gateway/${version}`,
  };
}

/** Whether two configurations mean one and the same backend. A secret hides its value from any comparison but this one. */
export function isSameBackend(before: HttpBackendOptions, next: HttpBackendOptions): boolean {
  return Bun.deepEquals(before, next) && before.technicalToken?.reveal() === next.technicalToken?.reveal();
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

/** The settings that a running gateway cannot take over. */
export function restartReasons(before: Config, next: Config): readonly string[] {
  const fixed: readonly (readonly [string, (config: Config) => unknown])[] = [
    ['state_dir', (config) => config.stateDir],
    ['gateway.listen', (config) => config.gateway.listen],
    ['keys', (config) => config.keys],
    ['store', (config) => config.store],
    ['audit', (config) => config.audit],
    ['log', (config) => config.log],
    ['limits.session_lifetime', (config) => config.limits.sessionLifetimeMs],
    ['limits.poll_interval', (config) => config.limits.pollIntervalMs],
    ['limits.poll_timeout', (config) => config.limits.pollTimeoutMs],
    ['limits.stale_grace', (config) => config.limits.staleGraceMs],
    ['limits.subscriptions_per_session', (config) => config.limits.maxSessionSubscriptions],
  ];
  return fixed.filter(([, read]) => !Bun.deepEquals(read(before), read(next))).map(([name]) => name);
}
