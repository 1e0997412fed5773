import { limits } from '#kernel/limits.ts';
import { adminOptions } from './admin-options.ts';
import { anchorOptions } from './audit-options.ts';
import { feedOptions } from './feed-options.ts';
import { flagDescriptions } from './flag-descriptions.ts';
import { integrityOptions } from './integrity-options.ts';
import { issuerClaimOptions } from './issuer-options.ts';
import { issuerTokenOptions } from './issuer-token-options.ts';
import { listOf } from './kind.ts';
import { duration, flag, integer, oneOf, scope, size, text, word } from './kinds.ts';
import { anyUrl, baseUrl, cidr, listenAddress, origin, urlPath } from './network-kinds.ts';
import { type AnyOption, existing, option, optional, required } from './option.ts';
import { serverLimitOptions, serverOptions } from './server-options.ts';
import { algorithm, challengeScopes, filePath, prefix, publicKey, secret, store } from './special-kinds.ts';

const second = 1_000;
const minute = 60_000;
const day = 86_400_000;
const kilobyte = 1024;
const megabyte = 1024 ** 2;
const gigabyte = 1024 ** 3;

const scopes = listOf(scope);
const words = listOf(word);
const names = listOf(word, { min: 1 });
const rate = integer(0, 1_000_000);

/** Every setting there is. File, environment, flags, help, reference page, JSON Schema and example come from here. */
export const options = {
  version: option('version', integer(1, 1), 1, 'Version of this file format.', { example: '1' }),
  stateDir: optional('state_dir', filePath, flagDescriptions.stateDir, {
    fallbackText: '`STATE_DIRECTORY`, else `$XDG_STATE_HOME/cortex`, else `~/.local/state/cortex`',
    environment: ['CORTEX_STATE_DIR'],
    flag: 'state',
  }),

  url: option(
    'gateway.url',
    anyUrl,
    'http://127.0.0.1:3213/mcp',
    'The public URL of the MCP endpoint: the canonical resource (RFC 9728) and the audience of tokens, byte for byte.',
    {
      example: 'https://mcp.example.com/mcp',
      existing: [existing('CORTEX_CANONICAL_URI')],
    },
  ),
  listen: option(
    'gateway.listen',
    listenAddress,
    { host: '127.0.0.1', port: 3213 },
    flagDescriptions.listen,
    {
      example: '127.0.0.1:3213',
      flag: 'listen',
    },
  ),
  origins: option(
    'gateway.origins',
    listOf(origin),
    [],
    'Websites whose pages may call the gateway: origins, or `https://*.suffix` for subdomains.',
    {
      example: '[https://claude.ai]',
      existing: [existing('CORTEX_ALLOWED_ORIGINS')],
    },
  ),
  trustedProxies: option(
    'gateway.trusted_proxies',
    listOf(cidr),
    [],
    'Address ranges of the proxies whose `X-Forwarded-For` counts.',
    {
      example: '[127.0.0.1/32]',
    },
  ),
  allowHttp: option(
    'gateway.allow_http',
    flag,
    false,
    'Allows plain http for `gateway.url` and issuers outside this machine. For private networks only: tokens travel in the clear.',
  ),
  serverName: optional('gateway.server_name', text, 'The name that clients show.', {
    existing: [existing('CORTEX_SERVER_NAME')],
  }),
  serverCardName: optional(
    'gateway.server_card_name',
    text,
    'The reverse-DNS name in the server card, such as `com.example/cortex`.',
    {
      existing: [existing('CORTEX_SERVER_CARD_NAME')],
    },
  ),
  websiteUrl: optional('gateway.website_url', anyUrl, 'The website that clients link to.', {
    existing: [existing('CORTEX_WEBSITE_URL')],
  }),

  issuerUrl: required(
    'auth.issuers.<n>.url',
    anyUrl,
    'The issuer as its tokens spell it in `iss`, byte for byte.',
    {
      example: 'https://auth.example.com',
      existing: [existing('OAUTH_ISSUER', 'first')],
    },
  ),
  issuerJwksUri: optional('auth.issuers.<n>.jwks_uri', anyUrl, 'Where its keys are.', {
    fallbackText: 'found by discovery, else `<url>/.well-known/jwks.json`',
    existing: [existing('OAUTH_JWKS_URL', 'first')],
  }),
  issuerAudience: optional(
    'auth.issuers.<n>.audience',
    names,
    'Audiences to accept: a token must carry one of them.',
    {
      fallbackText: '`gateway.url`',
      existing: [existing('OAUTH_AUDIENCE', 'first')],
    },
  ),
  issuerAlgorithms: optional(
    'auth.issuers.<n>.algorithms',
    listOf(algorithm, { min: 1 }),
    'Signature algorithms to accept.',
    {
      fallbackText: 'RS256, PS256, ES256, EdDSA',
    },
  ),
  ...issuerClaimOptions,
  issuerScopes: optional(
    'auth.issuers.<n>.scopes',
    scopes,
    'A ceiling: scopes beyond these are dropped from its tokens.',
    { fallbackText: 'no ceiling' },
  ),
  issuerMaxTokenAge: option(
    'auth.issuers.<n>.max_token_age',
    duration(minute, 30 * day),
    limits.maxTokenAgeSeconds * second,
    'Tokens issued longer ago are refused, whatever their `exp`.',
  ),
  claimSubject: optional(
    'auth.issuers.<n>.claims.subject',
    names,
    'Claims that hold the subject: the first one present counts. A dotted path reaches into objects; `tid+oid` makes one subject of two claims.',
    { fallbackText: 'the preset' },
  ),
  claimScopes: optional('auth.issuers.<n>.claims.scopes', names, 'Claims that hold scopes.', {
    fallbackText: 'the preset',
  }),
  claimClient: optional('auth.issuers.<n>.claims.client', names, 'Claims that hold the client id.', {
    fallbackText: 'the preset',
  }),
  claimTokenId: optional('auth.issuers.<n>.claims.token_id', names, 'Claims that hold the id of the token.', {
    fallbackText: 'the preset',
  }),
  claimSession: optional('auth.issuers.<n>.claims.session', names, 'Claims that hold the session.', {
    fallbackText: 'the preset',
  }),
  claimGrant: optional('auth.issuers.<n>.claims.grant', names, 'Claims that hold the id of the grant.', {
    fallbackText: 'the preset',
  }),
  claimEmail: optional('auth.issuers.<n>.claims.email', names, 'Claims that hold the e-mail address.', {
    fallbackText: 'the preset',
  }),
  claimRole: optional('auth.issuers.<n>.claims.role', names, 'Claims that hold the role.', {
    fallbackText: 'the preset',
  }),
  claimPool: optional('auth.issuers.<n>.claims.pool', names, 'Claims that hold the user pool.', {
    fallbackText: 'the preset',
  }),
  exchangeClientId: optional(
    'auth.issuers.<n>.exchange.client_id',
    text,
    'The gateway’s own client id at this issuer, for backends with `identity: exchange`.',
  ),
  exchangeClientSecret: optional(
    'auth.issuers.<n>.exchange.client_secret',
    secret,
    'The secret that goes with it.',
  ),
  ...issuerTokenOptions,
  ...feedOptions,

  baselineScopes: option('auth.baseline_scopes', scopes, [], 'Scopes that any caller needs.', {
    existing: [existing('OAUTH_REQUIRED_SCOPES')],
  }),
  challengeScopes: option(
    'auth.challenge_scopes',
    challengeScopes,
    'plans',
    'What the 401 asks clients to request, beside the baseline: the scopes of all plans, or these.',
  ),
  missingScope: option(
    'auth.missing_scope',
    oneOf(['hide', 'challenge', 'tool_error']),
    'hide',
    'What a call gets whose scope the caller lacks: the answer of an unknown tool; a 403 with the scopes to ask for; a tool error that names them. Lists never show such a tool.',
  ),
  scopeImplies: option(
    'auth.scope_implies.<scope>',
    scopes,
    [],
    'Scopes that this scope stands for as well.',
  ),
  requiredPool: optional(
    'auth.required_pool',
    text,
    'The user pool a token must come from; one without is refused.',
    { existing: [existing('CORTEX_REQUIRED_POOL')] },
  ),

  signInIssuer: optional(
    'auth.sign_in.issuer',
    anyUrl,
    'The issuer at which the gateway’s own pages sign people in: one of `auth.issuers`.',
    { fallbackText: 'the first issuer' },
  ),
  signInClientId: optional(
    'auth.sign_in.client_id',
    text,
    'The client id of the gateway’s pages there, with the redirect URI `<origin>/sign-in/callback`.',
    { fallbackText: 'registered by itself' },
  ),
  signInClientSecret: optional(
    'auth.sign_in.client_secret',
    secret,
    'The secret that goes with it; a client without one is public.',
  ),

  plan: option(
    'plans.<plan>',
    listOf(scope, { min: 1 }),
    [],
    'The scopes that make this plan. A label, never a right: the first plan whose scopes are all held is the caller’s.',
    {
      example: '[mcp:notes:read, mcp:notes:write]',
    },
  ),

  backendUrl: required('backends.<id>.url', baseUrl, 'Where the application answers.', {
    example: 'http://127.0.0.1:4820',
    existing: [existing('CORTEX_BACKEND_<ID>_URL')],
  }),
  backendPath: option(
    'backends.<id>.path',
    urlPath,
    '/api/cortex/backend',
    'The path of the contract, appended to `url`.',
    { existing: [existing('CORTEX_BACKEND_<ID>_PATH')] },
  ),
  backendTechnicalToken: optional(
    'backends.<id>.technical_token',
    secret,
    'What the gateway proves itself with when it lists the tools.',
    {
      example: `"\${NOTES_TOKEN}"`,
      existing: [existing('CORTEX_TECHNICAL_TOKEN', 'each')],
    },
  ),
  backendIdentity: option(
    'backends.<id>.identity',
    oneOf(['propagate', 'assert', 'exchange']),
    'propagate',
    'How the caller’s identity reaches the application: the user’s own token; a 60 s token of the gateway’s own; a token that the issuer gives out for it (RFC 8693).',
  ),
  backendTokenAudience: optional(
    'backends.<id>.token_audience',
    word,
    'The audience of what `assert` and `exchange` send.',
    { fallbackText: '`url` and `path`' },
  ),
  backendTimeout: optional(
    'backends.<id>.timeout',
    duration(100, limits.maxCallTimeoutMs),
    'How long one call may take.',
    {
      fallbackText: '`limits.call_timeout`',
      existing: [existing('CORTEX_BACKEND_<ID>_TIMEOUT_MS', 'one', 'ms')],
    },
  ),
  backendPrefix: optional(
    'backends.<id>.prefix',
    prefix,
    'Before the public name of each of its tools; may be empty.',
    { fallbackText: 'the id' },
  ),
  backendInclude: option(
    'backends.<id>.include',
    words,
    [],
    'Globs over its own tool names: only these are shown. Empty: all.',
  ),
  backendExclude: option(
    'backends.<id>.exclude',
    words,
    [],
    'Globs over its own tool names: these are not shown.',
  ),
  backendAllowHttp: option(
    'backends.<id>.allow_http',
    flag,
    false,
    'Allows plain http outside this machine. For private networks only: users’ tokens travel in the clear.',
    {
      existing: [existing('CORTEX_ALLOW_INSECURE_BACKENDS', 'each')],
    },
  ),
  backendMaxConnections: optional(
    'backends.<id>.max_connections',
    integer(1, 10_000),
    'Connections at a time.',
    { fallbackText: '`limits.connections_per_backend`' },
  ),
  backendMaxResult: optional(
    'backends.<id>.max_result',
    size(kilobyte, gigabyte),
    'The largest answer to one call.',
    { fallbackText: '`limits.result_size`' },
  ),
  backendTickets: option(
    'backends.<id>.tickets',
    flag,
    false,
    'The application keeps its own tickets of missing capabilities.',
    {
      existing: [existing('CORTEX_TICKET_BACKENDS', 'listed')],
    },
  ),
  backendAudience: optional(
    'backends.<id>.audience',
    names,
    'A token is sent on only if it carries one of these audiences.',
    { fallbackText: 'the audiences of its issuer' },
  ),

  backendCatalogKey: option(
    'backends.<id>.catalog_key',
    listOf(publicKey),
    [],
    'The Ed25519 public keys of which one signs each list that the application answers with; 32 bytes as base64. Lists without such a signature, and older ones again, are refused.',
  ),

  ...serverOptions,

  callsPerMinute: option(
    'limits.calls_per_minute',
    rate,
    limits.callsPerMinute,
    'Calls a minute per principal; 0 sets no limit.',
    { existing: [existing('CORTEX_RATE_LIMIT_PER_MINUTE')] },
  ),
  toolCallsPerMinute: option(
    'limits.tool_calls_per_minute.<glob>',
    rate,
    0,
    'Calls a minute per principal of the tools whose public name matches; the first match counts.',
  ),
  planCallsPerMinute: option(
    'limits.plan_calls_per_minute.<plan>',
    rate,
    0,
    'Calls a minute per principal of this plan, in place of `calls_per_minute`.',
  ),
  tokenSize: option(
    'limits.token_size',
    size(kilobyte, megabyte),
    limits.maxTokenBytes,
    'The longest bearer token.',
  ),
  requestSize: option(
    'limits.request_size',
    size(kilobyte, gigabyte),
    limits.maxRequestBodyBytes,
    'The largest request body.',
  ),
  headerSize: option(
    'limits.header_size',
    size(kilobyte, megabyte),
    limits.maxHeaderValueBytes,
    'The longest header value; a whole head is 16 KB at most.',
  ),
  resultSize: option(
    'limits.result_size',
    size(kilobyte, gigabyte),
    limits.maxResultBytes,
    'The largest answer of a backend to one call.',
  ),
  catalogSize: option(
    'limits.catalog_size',
    size(kilobyte, gigabyte),
    limits.maxCatalogBytes,
    'The largest list of one backend.',
  ),
  toolsPerBackend: option(
    'limits.tools_per_backend',
    integer(1, 100_000),
    limits.maxToolsPerBackend,
    'Tools of one backend.',
  ),
  nameLength: option(
    'limits.name_length',
    integer(16, limits.hardPublicNameLength),
    limits.maxPublicNameLength,
    'The longest public name of a tool, prefix included.',
  ),
  streamsPerPrincipal: option(
    'limits.streams_per_principal',
    integer(1, 10_000),
    limits.maxStreamsPerPrincipal,
    'Open streams of one principal.',
  ),
  streams: option('limits.streams', integer(1, 1_000_000), limits.maxStreams, 'Open streams in all.'),
  subscriptions: option(
    'limits.subscriptions_per_session',
    integer(1, 100_000),
    limits.maxSessionSubscriptions,
    'Resource subscriptions of one session.',
  ),
  sessionLifetime: option(
    'limits.session_lifetime',
    duration(minute, 30 * day),
    limits.sessionLifetimeMs,
    'How long a session id of the older protocol stays good.',
  ),
  callTimeout: option(
    'limits.call_timeout',
    duration(100, limits.maxCallTimeoutMs),
    limits.callTimeoutMs,
    'How long one call may take.',
  ),
  pollInterval: option(
    'limits.poll_interval',
    duration(second, day),
    limits.pollIntervalMs,
    'How often each backend is asked for its list.',
  ),
  pollTimeout: option(
    'limits.poll_timeout',
    duration(100, 5 * minute),
    limits.pollTimeoutMs,
    'How long that may take.',
  ),
  staleGrace: option(
    'limits.stale_grace',
    duration(0, 30 * day),
    limits.staleGraceMs,
    'How long the last good list of a silent backend is shown.',
  ),
  formerNameGrace: option(
    'limits.former_name_grace',
    duration(0, 30 * day),
    limits.formerNameGraceMs,
    'How long a renamed tool still answers to its former name.',
  ),
  connectionsPerBackend: option(
    'limits.connections_per_backend',
    integer(1, 10_000),
    limits.maxConnectionsPerBackend,
    'Connections to one backend at a time.',
  ),
  queuedCallsPerBackend: option(
    'limits.queued_calls_per_backend',
    integer(0, 100_000),
    limits.maxQueuedCallsPerBackend,
    'Calls that wait for one of them; more are refused as busy.',
  ),

  ...serverLimitOptions,

  auditDir: optional('audit.dir', filePath, 'The folder of the audit log.', {
    fallbackText: '`<state_dir>/audit`',
  }),
  auditRetention: option(
    'audit.retention',
    duration(day, 36_500 * day),
    365 * day,
    'How long audit files are kept; whole days.',
    {
      example: '365d',
      existing: [existing('CORTEX_AUDIT_RETENTION_DAYS', 'one', 'd')],
    },
  ),
  auditDurability: option(
    'audit.durability',
    oneOf(['checkpoint', 'batch', 'call']),
    'batch',
    'What a power cut cannot take: records up to the last checkpoint, up to the last batch, or of every call answered.',
  ),
  auditOnFailure: option(
    'audit.on_failure',
    oneOf(['deny-writes', 'deny-all', 'continue']),
    'deny-writes',
    'What happens to calls while records cannot be written.',
  ),
  auditStdout: option('audit.stdout', flag, false, 'Writes each record to stdout as well.'),
  auditRotateSize: option(
    'audit.rotate_size',
    size(megabyte, 100 * gigabyte),
    64 * megabyte,
    'A new file is begun at this size, and each day.',
  ),
  ...anchorOptions,

  ...integrityOptions,

  keysDir: optional('keys.dir', filePath, 'Where generated keys lie; never beside the data.', {
    fallbackText: '`keys` beside the config file, else `$XDG_CONFIG_HOME/cortex/keys`',
  }),
  sealKeyFile: optional(
    'keys.seal.file',
    filePath,
    'The key that seals session ids and request state; the same on every replica.',
    { fallbackText: 'generated' },
  ),
  auditKeyFile: optional('keys.audit.file', filePath, 'The secret behind the pseudonyms of the audit log.', {
    fallbackText: 'generated',
  }),
  checkpointKeyFile: optional(
    'keys.checkpoint.file',
    filePath,
    'The key that signs the audit log’s checkpoints.',
    { fallbackText: 'generated' },
  ),
  assertionKeyFile: optional(
    'keys.assertion.file',
    filePath,
    'The key that signs what `identity: assert` sends; its public half is at `/.well-known/jwks.json`.',
    { fallbackText: 'generated' },
  ),
  vaultKeys: optional(
    'keys.vault.key',
    secret,
    'The keys of the vault, newest first: 32 bytes each as base64 or hex, separated by commas.',
    { environment: ['CORTEX_VAULT_KEY'], fallbackText: '`keys.vault.file`' },
  ),
  vaultKeyFile: optional(
    'keys.vault.file',
    filePath,
    'The file of the vault’s keys; never beside the data.',
    {
      fallbackText: 'the systemd credential or Docker secret `cortex_vault_key`, else generated',
    },
  ),
  vaultKeychain: option(
    'keys.vault.keychain',
    flag,
    false,
    'Keeps the vault’s key in the keychain of the system instead of in a file.',
  ),

  ...adminOptions,

  store: optional('store', store, 'The database.', { fallbackText: '`sqlite:<state_dir>/cortex.db`' }),
  ticketWebhook: optional('tickets.webhook_url', anyUrl, 'Is told of each ticket that blocks its agent.', {
    existing: [existing('CORTEX_TICKET_WEBHOOK_URL')],
  }),
  logLevel: option(
    'log.level',
    oneOf(['debug', 'info', 'warn', 'error']),
    'info',
    'The least severe events that are logged.',
  ),
  logFormat: option('log.format', oneOf(['text', 'json']), 'text', 'How log lines are written.'),
};

/** The rows in the order of the file. */
export const allOptions: readonly AnyOption[] = Object.values(options);

/** Variables that list ids and set no option: they say which names with `<ID>` count, in which section. */
export const memberLists: readonly { readonly name: string; readonly section: string }[] = [
  { name: 'CORTEX_BACKENDS', section: 'backends' },
  { name: 'CORTEX_MCP_SERVERS', section: 'servers' },
];

/** Names of existing deployments whose capability this version lacks: warned of, never a reason not to start. */
export const laterNames: readonly { readonly name: string; readonly capability: string }[] = [
  { name: 'CORTEX_DATABASE_URL', capability: 'PostgreSQL' },
];

/** Names read elsewhere: by the command line and by tests. */
export const otherNames: readonly string[] = ['CORTEX_DEBUG', 'CORTEX_BIN'];
