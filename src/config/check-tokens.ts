import type { Config } from './config.ts';
import { type Issue, type Origin, problem, warning } from './issue.ts';
import { isLoopbackUrl, parseUrl } from './network-kinds.ts';
import type { SettingPath } from './settings.ts';

/** What asking issuers about tokens, and tokens bound to a key, need besides. */
export function checkTokens(
  config: Config,
  {
    originOf,
    isRefused,
  }: {
    readonly originOf: (path: SettingPath) => Origin | undefined;
    readonly isRefused: (path: SettingPath) => boolean;
  },
): readonly Issue[] {
  return config.auth.issuers.flatMap((issuer, index) => {
    const path = ['auth', 'issuers', String(index)];
    return [
      ...checkIntrospection(config, [...path, 'introspection'], issuer.introspection?.url),
      ...(issuer.dpop === 'require' && linksAccounts(config) && config.auth.signIn.issuer === issuer.url
        ? [
            warning(
              originOf([...path, 'dpop']),
              `${path.join('.')}.dpop: require keeps people from the gateway’s own pages`,
              'They sign in there with a token that is bound to no key: name another issuer in auth.sign_in.issuer.',
            ),
          ]
        : []),
    ];
  });

  function checkIntrospection(
    { gateway }: Config,
    path: SettingPath,
    url: string | undefined,
  ): readonly Issue[] {
    const name = path.join('.');
    if (url === undefined) {
      const set = ['url', 'client_id', 'client_secret'].filter((key) => originOf([...path, key]));
      if (set.length === 0 || isRefused(path)) return [];
      const missing = set.includes('url') ? 'client_id' : 'url';
      return [problem(originOf([...path, set[0] ?? '']), `${name} needs ${missing}, too`)];
    }
    if (parseUrl(url)?.protocol === 'https:' || isLoopbackUrl(url) || gateway.allowHttp) return [];
    return [
      problem(
        originOf([...path, 'url']),
        `${name}.url must be https: tokens would travel in the clear`,
        'On a private network gateway.allow_http: true allows it.',
      ),
    ];
  }
}

function linksAccounts({ servers }: Config): boolean {
  return [...servers.values()].some(({ identity }) => identity === 'linked');
}
