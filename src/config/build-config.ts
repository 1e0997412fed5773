import { join } from 'node:path';
import { isBackendId } from '#kernel/ids.ts';
import { limits } from '#kernel/limits.ts';
import type { Secret } from '#kernel/secret.ts';
import { buildAdmin } from './build-admin.ts';
import { buildAudit } from './build-audit.ts';
import { buildFeed } from './build-feed.ts';
import { buildIntrospection } from './build-introspection.ts';
import { backendIdHint, buildServers } from './build-servers.ts';
import type {
  AuthConfig,
  BackendConfig,
  ClientConfig,
  Config,
  GatewayConfig,
  IssuerConfig,
  KeysConfig,
  LimitsConfig,
} from './config.ts';
import { nearest } from './nearest.ts';
import { options } from './options.ts';
import type { Reader } from './reader.ts';

/** Where things lie that no setting places. Absolute. */
export interface Places {
  readonly stateDir: string;
  readonly keysDir: string;
  readonly vaultCredential: string | undefined;
}

/** Reads every option into its place. What is wrong is noted by the reader: then the value is not to be used. */
export function buildConfig(reader: Reader, places: Places): Config {
  reader.read(options.version);
  const stateDir = reader.readOr(options.stateDir, [], places.stateDir);
  const gateway = buildGateway(reader);
  const auth = buildAuth(reader);
  const plans = reader.mapOf(['plans'], (plan) => reader.read(options.plan, [plan]));
  const limitsConfig = buildLimits(reader, [...plans.keys()]);
  return {
    version: 1,
    stateDir,
    gateway,
    auth,
    plans,
    backends: buildBackends(reader, limitsConfig),
    servers: buildServers(reader, limitsConfig),
    limits: limitsConfig,
    audit: buildAudit(reader, stateDir),
    integrity: {
      mode: reader.read(options.integrityMode),
      baseline: reader.readOr(options.integrityBaseline, [], join(stateDir, 'baseline.jsonl')),
      publicKey: reader.read(options.integrityPublicKey),
      scan: reader.read(options.integrityScan),
    },
    keys: buildKeys(reader, places),
    admin: buildAdmin(reader),
    store: reader.readOr(options.store, [], { engine: 'sqlite', path: join(stateDir, 'cortex.db') }),
    tickets: { webhookUrl: reader.read(options.ticketWebhook) },
    log: { level: reader.read(options.logLevel), format: reader.read(options.logFormat) },
  };
}

function buildGateway(reader: Reader): GatewayConfig {
  return {
    url: reader.read(options.url),
    listen: reader.read(options.listen),
    origins: reader.read(options.origins),
    trustedProxies: reader.read(options.trustedProxies),
    allowHttp: reader.read(options.allowHttp),
    serverName: reader.read(options.serverName),
    serverCardName: reader.read(options.serverCardName),
    websiteUrl: reader.read(options.websiteUrl),
  };
}

function buildAuth(reader: Reader): AuthConfig {
  const issuers: IssuerConfig[] = [];
  for (const index of reader.boundedKeys(['auth', 'issuers'])) {
    const issuer = buildIssuer(reader, index);
    if (issuer !== undefined) issuers.push(issuer);
  }
  const signInIssuer = reader.readOr(options.signInIssuer, [], issuers[0]?.url ?? '');
  const clientId = reader.read(options.signInClientId);
  return {
    issuers,
    signIn: { issuer: signInIssuer, client: clientOf(clientId, reader.read(options.signInClientSecret)) },
    baselineScopes: reader.read(options.baselineScopes),
    challengeScopes: reader.read(options.challengeScopes),
    missingScope: reader.read(options.missingScope),
    scopeImplies: reader.mapOf(['auth', 'scope_implies'], (scope) =>
      reader.read(options.scopeImplies, [scope]),
    ),
    requiredPool: reader.read(options.requiredPool),
  };
}

function buildIssuer(reader: Reader, index: string): IssuerConfig | undefined {
  const at = [index];
  const url = reader.readRequired(options.issuerUrl, at);
  const issuer = {
    jwksUri: reader.read(options.issuerJwksUri, at),
    audience: reader.read(options.issuerAudience, at),
    algorithms: reader.read(options.issuerAlgorithms, at),
    preset: reader.read(options.issuerPreset, at),
    clients: reader.read(options.issuerClients, at),
    roles: reader.mapOf(['auth', 'issuers', index, 'roles'], (role) =>
      reader.read(options.issuerRole, [index, role]),
    ),
    scopes: reader.read(options.issuerScopes, at),
    maxTokenAgeSeconds: Math.floor(reader.read(options.issuerMaxTokenAge, at) / 1_000),
    claims: {
      subject: reader.read(options.claimSubject, at),
      scopes: reader.read(options.claimScopes, at),
      permissions: reader.read(options.claimPermissions, at),
      client: reader.read(options.claimClient, at),
      tokenId: reader.read(options.claimTokenId, at),
      session: reader.read(options.claimSession, at),
      grant: reader.read(options.claimGrant, at),
      email: reader.read(options.claimEmail, at),
      role: reader.read(options.claimRole, at),
      pool: reader.read(options.claimPool, at),
    },
  };
  const exchangeId = reader.read(options.exchangeClientId, at);
  const exchange = clientOf(exchangeId, reader.read(options.exchangeClientSecret, at));
  const revocationFeed = buildFeed(reader, at);
  const backchannelLogout = reader.read(options.backchannelLogout, at);
  const introspection = buildIntrospection(reader, at);
  const dpop = reader.read(options.issuerDpop, at);
  return url === undefined
    ? undefined
    : { url, ...issuer, exchange, revocationFeed, backchannelLogout, introspection, dpop };
}

function clientOf(id: string | undefined, secret: Secret | undefined): ClientConfig | undefined {
  return id === undefined ? undefined : { id, secret };
}

function buildBackends(reader: Reader, defaults: LimitsConfig): Config['backends'] {
  const backends = new Map<BackendConfig['id'], BackendConfig>();
  for (const id of reader.boundedKeys(['backends'], limits.maxBackends)) {
    if (!isBackendId(id)) {
      reader.fail(['backends', id], 'is not a backend id', backendIdHint);
      continue;
    }
    const at = [id];
    const url = reader.readRequired(options.backendUrl, at);
    const path = reader.read(options.backendPath, at);
    const backend = {
      id,
      path,
      technicalToken: reader.read(options.backendTechnicalToken, at),
      identity: reader.read(options.backendIdentity, at),
      tokenAudience: reader.readOr(options.backendTokenAudience, at, `${url}${path}`),
      timeoutMs: reader.readOr(options.backendTimeout, at, defaults.callTimeoutMs),
      prefix: reader.readOr(options.backendPrefix, at, id),
      include: reader.read(options.backendInclude, at),
      exclude: reader.read(options.backendExclude, at),
      allowHttp: reader.read(options.backendAllowHttp, at),
      maxConnections: reader.readOr(options.backendMaxConnections, at, defaults.maxConnectionsPerBackend),
      maxResultBytes: reader.readOr(options.backendMaxResult, at, defaults.maxResultBytes),
      tickets: reader.read(options.backendTickets, at),
      audience: reader.read(options.backendAudience, at),
      catalogKeys: reader.read(options.backendCatalogKey, at),
    };
    if (url !== undefined) backends.set(id, { url, ...backend });
  }
  return backends;
}

function buildLimits(reader: Reader, plans: readonly string[]): LimitsConfig {
  const planPath = ['limits', 'plan_calls_per_minute'];
  for (const plan of reader.keysBelow(planPath)) {
    if (plans.includes(plan)) continue;
    const close = nearest(plan, plans);
    reader.fail(
      [...planPath, plan],
      'is not a plan',
      close === undefined ? undefined : `Did you mean "${close}"?`,
    );
  }
  return {
    callsPerMinute: reader.read(options.callsPerMinute),
    toolCallsPerMinute: reader.mapOf(['limits', 'tool_calls_per_minute'], (glob) =>
      reader.read(options.toolCallsPerMinute, [glob]),
    ),
    planCallsPerMinute: reader.mapOf(planPath, (plan) => reader.read(options.planCallsPerMinute, [plan])),
    maxTokenBytes: reader.read(options.tokenSize),
    maxRequestBodyBytes: reader.read(options.requestSize),
    maxHeaderValueBytes: reader.read(options.headerSize),
    maxResultBytes: reader.read(options.resultSize),
    maxCatalogBytes: reader.read(options.catalogSize),
    maxToolsPerBackend: reader.read(options.toolsPerBackend),
    maxPublicNameLength: reader.read(options.nameLength),
    maxStreamsPerPrincipal: reader.read(options.streamsPerPrincipal),
    maxStreams: reader.read(options.streams),
    maxSessionSubscriptions: reader.read(options.subscriptions),
    sessionLifetimeMs: reader.read(options.sessionLifetime),
    callTimeoutMs: reader.read(options.callTimeout),
    pollIntervalMs: reader.read(options.pollInterval),
    pollTimeoutMs: reader.read(options.pollTimeout),
    staleGraceMs: reader.read(options.staleGrace),
    formerNameGraceMs: reader.read(options.formerNameGrace),
    maxConnectionsPerBackend: reader.read(options.connectionsPerBackend),
    maxQueuedCallsPerBackend: reader.read(options.queuedCallsPerBackend),
    maxProcesses: reader.read(options.processes),
    maxProcessesPerServer: reader.read(options.processesPerServer),
    serverIdleMs: reader.read(options.serverIdle),
    maxParkedCalls: reader.read(options.parkedCalls),
    maxParkedCallsPerPrincipal: reader.read(options.parkedCallsPerPrincipal),
  };
}

function buildKeys(reader: Reader, { keysDir, vaultCredential }: Places): KeysConfig {
  return {
    dir: reader.readOr(options.keysDir, [], keysDir),
    seal: { file: reader.read(options.sealKeyFile) },
    audit: { file: reader.read(options.auditKeyFile) },
    checkpoint: { file: reader.read(options.checkpointKeyFile) },
    assertion: { file: reader.read(options.assertionKeyFile) },
    vault: {
      text: reader.read(options.vaultKeys),
      file: reader.read(options.vaultKeyFile),
      credential: vaultCredential,
      dockerSecret: '/run/secrets/cortex_vault_key',
      keychain: reader.read(options.vaultKeychain),
    },
  };
}
