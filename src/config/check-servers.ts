import type { Config } from './config.ts';
import { type Issue, type Origin, problem, warning } from './issue.ts';
import { isLoopbackUrl, parseUrl } from './network-kinds.ts';
import type { ServerConfig } from './server-config.ts';
import type { SettingPath } from './settings.ts';

type OriginOf = (path: SettingPath) => Origin | undefined;

/** What makes sense value by value, and not together, about `servers`. */
export function checkServers(
  config: Config,
  { originOf }: { readonly originOf: OriginOf },
): readonly Issue[] {
  return [...config.servers.values()].flatMap((server) => [
    ...checkId(server, config, originOf),
    ...checkUrl(server, originOf),
    ...checkIssuerUrl(server, originOf),
    ...checkIdentity(server, originOf),
    ...checkUse(server, originOf),
  ]);
}

function checkId({ id }: ServerConfig, { backends }: Config, originOf: OriginOf): readonly Issue[] {
  if (!backends.has(id)) return [];
  const message = `servers.${id}: ${id} is also the id of a backend`;
  return [problem(originOf(['servers', id]), message, 'Ids are shared: choose another.')];
}

function checkUrl({ id, endpoint, identity }: ServerConfig, originOf: OriginOf): readonly Issue[] {
  if (endpoint.kind !== 'url' || !isOpenHttp(endpoint.url)) return [];
  const origin = originOf(['servers', id, 'url']);
  const clear = identity === 'none' ? 'what is asked and answered' : 'tokens';
  if (endpoint.allowHttp) {
    return [
      warning(origin, `servers.${id}.url is plain http: ${clear} travel in the clear to ${endpoint.url}`),
    ];
  }
  const hint = `On a private network servers.${id}.allow_http: true allows it.`;
  return [problem(origin, `servers.${id}.url must be https: ${clear} would travel in the clear`, hint)];
}

function checkIssuerUrl({ id, linking, endpoint }: ServerConfig, originOf: OriginOf): readonly Issue[] {
  if (linking.issuer === undefined || !isOpenHttp(linking.issuer)) return [];
  if (endpoint.kind === 'url' && endpoint.allowHttp) return [];
  const origin = originOf(['servers', id, 'issuer']);
  return [problem(origin, `servers.${id}.issuer must be https: tokens would travel in the clear`)];
}

function checkIdentity(server: ServerConfig, originOf: OriginOf): readonly Issue[] {
  const { id, endpoint, identity, token } = server;
  const origin = originOf(['servers', id, 'identity']) ?? originOf(['servers', id]);
  if (endpoint.kind === 'command' && identity === 'linked') {
    const hint = `Write servers.${id}.identity: none, or static: it then acts as one account for everybody.`;
    return [problem(origin, `servers.${id} is a command, and nobody can link an account to it`, hint)];
  }
  const hasToken = token !== undefined || originOf(['servers', id, 'token']) !== undefined;
  if (endpoint.kind === 'url' && identity === 'static' && !hasToken) {
    return [problem(origin, `servers.${id}.token is missing: identity: static sends it`)];
  }
  return [];
}

/** Settings that say something about another kind of server. */
function checkUse({ id, endpoint, identity, list }: ServerConfig, originOf: OriginOf): readonly Issue[] {
  const rules: readonly (readonly [doesCount: boolean, what: string, settings: readonly string[]])[] = [
    [endpoint.kind === 'command', 'a command', ['process', 'cwd', 'env']],
    [endpoint.kind === 'url', 'a url', ['allow_http', 'max_connections']],
    [endpoint.kind === 'url' && identity === 'static', 'a url with identity: static', ['token']],
    [identity === 'linked', 'identity: linked', linkedSettings],
    [identity === 'linked' && list === 'shared', 'identity: linked and list: shared', ['catalog_subject']],
    [identity === 'linked' || list === 'shared', 'identity: linked', ['list']],
  ];
  const issues: Issue[] = [];
  for (const [doesCount, what, settings] of rules) {
    for (const setting of doesCount ? [] : settings) {
      const origin = originOf(['servers', id, setting]);
      if (origin === undefined) continue;
      issues.push(warning(origin, `servers.${id}.${setting} has no effect: it belongs to ${what}`));
    }
  }
  const secret = originOf(['servers', id, 'client_secret']);
  if (secret !== undefined && originOf(['servers', id, 'client_id']) === undefined) {
    issues.push(problem(secret, `servers.${id}.client_secret has no servers.${id}.client_id`));
  }
  return issues;
}

const linkedSettings = [
  'client_id',
  'client_secret',
  'issuer',
  'oauth_scopes',
  'resource',
  'allow_without_s256',
  'allow_private',
];

function isOpenHttp(url: string): boolean {
  return parseUrl(url)?.protocol === 'http:' && !isLoopbackUrl(url);
}
