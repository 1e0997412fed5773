import { isAbsolute, relative } from 'node:path';
import { challengedScopes } from './challenged-scopes.ts';
import { checkAdmin } from './check-admin.ts';
import { checkAnchors } from './check-anchors.ts';
import { checkFeeds } from './check-feeds.ts';
import { checkIdentities } from './check-identities.ts';
import { checkPresets } from './check-presets.ts';
import { checkServers } from './check-servers.ts';
import { checkTokens } from './check-tokens.ts';
import type { Config } from './config.ts';
import { type Issue, type Origin, problem, warning } from './issue.ts';
import { isLoopbackUrl, parseUrl } from './network-kinds.ts';
import type { SettingPath } from './settings.ts';

/** What the checks ask about the sources. */
export interface Sources {
  readonly originOf: (path: SettingPath) => Origin | undefined;
  /** Whether a value at or below the path could not be used; then a default stands in its place. */
  readonly isRefused: (path: SettingPath) => boolean;
  /** False: everything comes from the environment. */
  readonly hasFile: boolean;
  /** Whether secrets were read. */
  readonly hasSecrets: boolean;
}

type Check = (config: Config, sources: Sources) => readonly Issue[];

/** What makes sense value by value and not together. */
export function checkConfig(config: Config, sources: Sources): readonly Issue[] {
  return checks.flatMap((check) => check(config, sources));
}

const checks: readonly Check[] = [
  checkCanonicalUrl,
  checkTrustedProxies,
  checkIssuers,
  checkPresets,
  checkChallenge,
  checkPlans,
  checkBackends,
  checkServers,
  checkIdentities,
  checkFeeds,
  checkTokens,
  checkCatalogKeys,
  checkPrefixes,
  checkKeysApart,
  checkAdmin,
  checkAnchors,
];

function checkCanonicalUrl({ gateway }: Config, { originOf }: Sources): readonly Issue[] {
  const origin = originOf(['gateway', 'url']);
  const issues: Issue[] = [];
  if (gateway.url.includes('?')) issues.push(problem(origin, 'gateway.url must not hold a query (?)'));
  if (isOpenHttp(gateway.url) && !gateway.allowHttp) {
    issues.push(
      problem(
        origin,
        'gateway.url must be https: tokens would travel in the clear',
        httpHint('gateway.allow_http'),
      ),
    );
  }
  if (parseUrl(gateway.url)?.pathname !== '/mcp') {
    issues.push(warning(origin, 'gateway.url should end in /mcp', 'claude.ai calls no other path.'));
  }
  return issues;
}

function checkTrustedProxies({ gateway }: Config, { originOf }: Sources): readonly Issue[] {
  return gateway.trustedProxies
    .filter((range) => range.endsWith('/0'))
    .map((range) =>
      warning(
        originOf(['gateway', 'trusted_proxies']),
        `gateway.trusted_proxies: ${range} lets every caller choose the address it is limited by`,
      ),
    );
}

function checkIssuers({ auth, gateway }: Config, { originOf, hasFile }: Sources): readonly Issue[] {
  const issues: Issue[] = [];
  if (auth.issuers.length === 0 && originOf(['auth', 'issuers', '0']) === undefined) {
    const hint = hasFile
      ? 'Write auth.issuers: [{ url: https://auth.example.com }].'
      : 'Set OAUTH_ISSUER, or write auth.issuers in cortex.yaml.';
    issues.push(
      problem(
        originOf(['auth']),
        'auth.issuers names no authorization server: no token could be accepted',
        hint,
      ),
    );
  }
  const seen = new Set<string>();
  for (const [index, issuer] of auth.issuers.entries()) {
    const path = ['auth', 'issuers', String(index), 'url'];
    const origin = originOf(path);
    if (seen.has(issuer.url)) issues.push(problem(origin, `${path.join('.')}: ${issuer.url} is named twice`));
    seen.add(issuer.url);
    if (issuer.url.includes('?')) issues.push(problem(origin, `${path.join('.')} must not hold a query (?)`));
    for (const [key, url] of [
      ['url', issuer.url],
      ['jwks_uri', issuer.jwksUri],
    ] as const) {
      if (url === undefined || !isOpenHttp(url) || gateway.allowHttp) continue;
      const name = [...path.slice(0, -1), key];
      issues.push(
        problem(
          originOf(name) ?? origin,
          `${name.join('.')} must be https: its keys could be replaced on the way`,
          httpHint('gateway.allow_http'),
        ),
      );
    }
  }
  return issues;
}

function checkChallenge(config: Config, { originOf, isRefused, hasFile }: Sources): readonly Issue[] {
  if (config.auth.missingScope !== 'hide' || challengedScopes(config).length > 0) return [];
  if (isRefused(['plans']) || isRefused(['auth'])) return [];
  const origin = originOf(['auth', 'challenge_scopes']);
  const message = 'the 401 asks for no scope: clients that request what it asks for would see no tool';
  if (origin === undefined && !hasFile) {
    return [warning(undefined, message, 'Set OAUTH_REQUIRED_SCOPES, or write plans in cortex.yaml.')];
  }
  return [problem(origin, message, 'Name plans, auth.challenge_scopes or auth.baseline_scopes.')];
}

function checkPlans({ plans }: Config, { originOf }: Sources): readonly Issue[] {
  const issues: Issue[] = [];
  const earlier: (readonly [string, readonly string[]])[] = [];
  for (const [plan, scopes] of plans) {
    if (scopes.length === 0) continue;
    const first = earlier.find(([, fewer]) => fewer.every((scope) => scopes.includes(scope)));
    if (first !== undefined) {
      const message = `plans.${plan} is nobody's: whoever holds its scopes holds those of ${first[0]}, which comes first`;
      issues.push(warning(originOf(['plans', plan]), message, `Move ${plan} above ${first[0]}.`));
    }
    earlier.push([plan, scopes]);
  }
  return issues;
}

function checkBackends({ backends }: Config, { originOf, hasSecrets }: Sources): readonly Issue[] {
  if (backends.size === 0 && originOf(['backends']) === undefined && originOf(['servers']) === undefined) {
    return [
      warning(
        undefined,
        'there are no backends and no servers, so there are no tools',
        'Write backends or servers in cortex.yaml, or set CORTEX_BACKENDS.',
      ),
    ];
  }
  const issues: Issue[] = [];
  for (const [id, backend] of backends) {
    const origin = originOf(['backends', id, 'url']);
    if (isOpenHttp(backend.url)) {
      issues.push(
        backend.allowHttp
          ? warning(
              origin,
              `backends.${id}.url is plain http: users' tokens travel in the clear to ${backend.url}`,
            )
          : problem(
              origin,
              `backends.${id}.url must be https: users' tokens would travel in the clear`,
              httpHint(`backends.${id}.allow_http`),
            ),
      );
    }
    if (hasSecrets && originOf(['backends', id, 'technical_token']) === undefined) {
      const hint = 'Without it a backend that keeps the contract lists no tools.';
      issues.push(warning(originOf(['backends', id]), `backends.${id}.technical_token is not set`, hint));
    }
  }
  return issues;
}

function checkCatalogKeys({ backends }: Config, { originOf }: Sources): readonly Issue[] {
  const owners = new Map<string, string>();
  return [...backends.values()].flatMap(({ id, catalogKeys }) =>
    catalogKeys.flatMap((key) => {
      const owner = owners.get(key);
      owners.set(key, owner ?? id);
      if (owner === undefined || owner === id) return [];
      const message = `backends.${id}.catalog_key is also that of ${owner}: a list of one would pass as the other's`;
      return [
        warning(originOf(['backends', id, 'catalog_key']), message, 'Let each sign with a key of its own.'),
      ];
    }),
  );
}

function checkPrefixes({ backends, servers }: Config, { originOf }: Sources): readonly Issue[] {
  const owners = new Map<string, string>();
  const issues: Issue[] = [];
  const all = [
    ...[...backends.values()].map(({ id, prefix }) => ({ section: 'backends', id, prefix })),
    ...[...servers.values()].map(({ id, prefix }) => ({ section: 'servers', id, prefix })),
  ];
  for (const { section, id, prefix } of all) {
    const owner = owners.get(prefix);
    owners.set(prefix, owner ?? `${section}.${id}`);
    // The same id in both sections is told of by itself.
    if (owner === undefined || owner.endsWith(`.${id}`)) continue;
    const origin = originOf([section, id, 'prefix']) ?? originOf([section, id]);
    const name = `${section}.${id}`;
    issues.push(
      prefix === ''
        ? warning(origin, `${name} and ${owner} have no prefix: tools of one name hide each other`)
        : problem(
            origin,
            `${name}.prefix: ${JSON.stringify(prefix)} is also the prefix of ${owner.split('.')[1]}`,
          ),
    );
  }
  return issues;
}

function checkKeysApart({ keys, stateDir, audit }: Config, { originOf }: Sources): readonly Issue[] {
  const places = [
    ['keys.dir', keys.dir, originOf(['keys', 'dir']) ?? originOf(['state_dir'])],
    ['keys.vault.file', keys.vault.file, originOf(['keys', 'vault', 'file'])],
  ] as const;
  return places.flatMap(([name, path, origin]) =>
    [stateDir, audit.dir]
      .filter((folder) => path !== undefined && contains(folder, path))
      .map((folder) => {
        const message = `${name}: ${path} lies with the data in ${folder}`;
        return problem(origin, message, `Who copies the data must not get the keys: set ${name}.`);
      }),
  );
}

function contains(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (!way.startsWith('..') && !isAbsolute(way));
}

function isOpenHttp(url: string): boolean {
  return parseUrl(url)?.protocol === 'http:' && !isLoopbackUrl(url);
}

function httpHint(option: string): string {
  return `On a private network ${option}: true allows it.`;
}
