import { limits } from '#kernel/limits.ts';
import { listOf } from './kind.ts';
import { duration, flag, integer, oneOf, scope, size, text, word } from './kinds.ts';
import { anyUrl, privateTarget } from './network-kinds.ts';
import { existing, option, optional, required } from './option.ts';
import { commandLine, filePath, prefix, secret } from './special-kinds.ts';

const kilobyte = 1024;
const gigabyte = 1024 ** 3;
const day = 86_400_000;

const someScopes = listOf(scope, { min: 1 });
const words = listOf(word);

/** The rows of `servers`. */
export const serverOptions = {
  serverUrl: optional('servers.<id>.url', anyUrl, 'Where the MCP server answers; or `command`.', {
    example: 'https://mcp.linear.app/mcp',
    existing: [existing('CORTEX_MCP_<ID>_URL')],
  }),
  serverCommand: optional(
    'servers.<id>.command',
    commandLine,
    'The program that is the MCP server (stdio), and its arguments: `[bunx, some-mcp-server]`. No shell reads it.',
  ),
  serverEnv: optional(
    'servers.<id>.env.<NAME>',
    secret,
    'A variable of the program’s environment, which holds these and `PATH` alone.',
  ),
  serverCwd: optional('servers.<id>.cwd', filePath, 'The folder the program runs in.', {
    fallbackText: 'the gateway’s',
  }),
  serverProcess: option(
    'servers.<id>.process',
    oneOf(['shared', 'principal']),
    'shared',
    'One process for everybody, or one for each principal.',
  ),
  serverIdentity: option(
    'servers.<id>.identity',
    oneOf(['linked', 'none', 'static']),
    'linked',
    'Whose calls these are there: the user’s own linked account; nobody’s; the holder’s of `token`. A command takes `none` or `static`.',
  ),
  serverToken: optional(
    'servers.<id>.token',
    secret,
    'With `identity: static`: the bearer token of every call, whoever makes it.',
  ),
  serverDefaultScopes: required(
    'servers.<id>.scopes.default',
    someScopes,
    'The scopes, all of them, that a caller’s token needs for whatever the server offers.',
    { example: 'mcp:linear:read', existing: [existing('CORTEX_MCP_<ID>_SCOPE')] },
  ),
  serverToolScopes: option(
    'servers.<id>.scopes.tools.<glob>',
    someScopes,
    [],
    'The scopes for the tools whose own name matches, in place of the default; the first match counts.',
    { example: 'mcp:linear:write' },
  ),
  serverPrefix: optional(
    'servers.<id>.prefix',
    prefix,
    'Before the public name of each of its tools; may be empty.',
    { fallbackText: 'the id' },
  ),
  serverInclude: option(
    'servers.<id>.include',
    words,
    [],
    'Globs over its own tool names: only these are shown. Empty: all.',
  ),
  serverExclude: option(
    'servers.<id>.exclude',
    words,
    [],
    'Globs over its own tool names: these are not shown.',
  ),
  serverTimeout: optional(
    'servers.<id>.timeout',
    duration(100, limits.maxCallTimeoutMs),
    'How long one call may take.',
    { fallbackText: '`limits.call_timeout`' },
  ),
  serverMaxConnections: optional(
    'servers.<id>.max_connections',
    integer(1, 10_000),
    'Connections at a time.',
    { fallbackText: '`limits.connections_per_backend`' },
  ),
  serverMaxResult: optional(
    'servers.<id>.max_result',
    size(kilobyte, gigabyte),
    'The largest answer to one call.',
    { fallbackText: '`limits.result_size`' },
  ),
  serverAllowHttp: option(
    'servers.<id>.allow_http',
    flag,
    false,
    'Allows plain http outside this machine. For private networks only: tokens travel in the clear.',
  ),
  serverList: optional(
    'servers.<id>.list',
    oneOf(['private', 'shared']),
    'Whether each user is shown the list the server gives to that user, or everybody the same.',
    { fallbackText: '`private` with `identity: linked` and no `catalog_subject`, else `shared`' },
  ),
  serverUris: option(
    'servers.<id>.uris',
    oneOf(['rewrite', 'keep']),
    'rewrite',
    'Whether the id is put into resource URIs, so that those of two servers differ.',
  ),
  serverClientId: optional(
    'servers.<id>.client_id',
    text,
    'The gateway’s client id at the server’s authorization server, with the redirect URI `<origin>/link/<id>/callback`.',
    { fallbackText: 'registered by itself', existing: [existing('CORTEX_MCP_<ID>_CLIENT_ID')] },
  ),
  serverClientSecret: optional('servers.<id>.client_secret', secret, 'The secret that goes with it.', {
    existing: [existing('CORTEX_MCP_<ID>_CLIENT_SECRET')],
  }),
  serverIssuer: optional(
    'servers.<id>.issuer',
    anyUrl,
    'The authorization server that accounts are linked at.',
    {
      fallbackText: 'found by discovery',
    },
  ),
  serverOauthScopes: optional(
    'servers.<id>.oauth_scopes',
    someScopes,
    'What linking asks for there; nothing to do with the scopes above.',
    { fallbackText: 'what the server asks for', existing: [existing('CORTEX_MCP_<ID>_OAUTH_SCOPE')] },
  ),
  serverResource: option(
    'servers.<id>.resource',
    flag,
    true,
    'Names the server in each request for a token (`resource`, RFC 8707).',
  ),
  serverAllowWithoutS256: option(
    'servers.<id>.allow_without_s256',
    flag,
    false,
    'Links where the authorization server does not say that it knows PKCE with S256, as Entra does not.',
  ),
  serverAllowPrivate: option(
    'servers.<id>.allow_private',
    listOf(privateTarget),
    [],
    'Hosts and address ranges inside a private network that linking may be led to.',
  ),
  serverCatalogSubject: optional(
    'servers.<id>.catalog_subject',
    text,
    'The subject whose linked account the list that everybody sees is read with.',
    { existing: [existing('CORTEX_MCP_<ID>_CATALOG_SUB')] },
  ),
};

/** The rows of `limits` that are about servers. */
export const serverLimitOptions = {
  processes: option(
    'limits.processes',
    integer(1, 10_000),
    limits.maxProcesses,
    'Processes of all servers that are commands.',
  ),
  processesPerServer: option(
    'limits.processes_per_server',
    integer(1, 10_000),
    limits.maxProcessesPerServer,
    'Processes of one of them.',
  ),
  serverIdle: option(
    'limits.server_idle',
    duration(1_000, day),
    limits.serverIdleMs,
    'A session with a server, or a process, that nobody used for this long is ended.',
  ),
  parkedCalls: option(
    'limits.parked_calls',
    integer(0, 100_000),
    limits.maxParkedCalls,
    'Calls that wait for the user’s answer to a server’s question.',
  ),
  parkedCallsPerPrincipal: option(
    'limits.parked_calls_per_principal',
    integer(0, 10_000),
    limits.maxParkedCallsPerPrincipal,
    'Those of one principal.',
  ),
};
