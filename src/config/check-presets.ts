import type { Config, IssuerConfig } from './config.ts';
import { type Issue, problem, warning } from './issue.ts';
import { parseUrl } from './network-kinds.ts';
import type { SettingPath } from './settings.ts';

interface Remark {
  readonly key: 'url' | 'clients' | 'roles';
  readonly message: string;
  readonly hint: string;
  readonly isFatal?: boolean;
}

/** What is known of an issuer by its preset, and would refuse every token of it. */
export function checkPresets(
  { auth }: Config,
  { originOf }: { readonly originOf: (path: SettingPath) => Issue['origin'] },
): readonly Issue[] {
  return auth.issuers.flatMap((issuer, index) =>
    remarksOn(issuer).map(({ key, message, hint, isFatal }) => {
      const path = ['auth', 'issuers', String(index)];
      const origin = originOf([...path, key]) ?? originOf([...path, 'url']);
      return (isFatal === true ? problem : warning)(origin, `${path.join('.')}.${key}: ${message}`, hint);
    }),
  );
}

function remarksOn({ preset, url, clients, roles }: IssuerConfig): readonly Remark[] {
  switch (preset) {
    case 'auth0':
    case 'authentik':
      return url.endsWith('/')
        ? []
        : [
            {
              key: 'url',
              message: `${preset} spells its issuers with a slash at the end`,
              hint: `Write ${url}/`,
            },
          ];
    case 'okta':
      return url.includes('/oauth2/') ? [] : [oktaOrganization];
    case 'entra':
      return isOfNoTenant(url) ? [entraOfAnyTenant] : [];
    case 'cognito':
      return clients === undefined ? [cognitoWithoutClients] : [];
    case 'zitadel':
      return roles.size === 0 ? [zitadelWithoutRoles] : [];
    case 'generic':
    case 'rfc9068':
    case 'keycloak':
    case 'hydra':
      return [];
  }
}

const oktaOrganization: Remark = {
  key: 'url',
  message: 'tokens of an Okta organization are for Okta itself, and cannot be verified by anybody else',
  hint: 'Name a custom authorization server: https://<org>.okta.com/oauth2/<id>.',
};

const entraOfAnyTenant: Remark = {
  key: 'url',
  message: 'is nobody’s issuer: tokens name the tenant they are from',
  hint: 'Write https://login.microsoftonline.com/<tenant id>/v2.0, one issuer a tenant.',
  isFatal: true,
};

function isOfNoTenant(url: string): boolean {
  const first = parseUrl(url)?.pathname.split('/')[1];
  return ['common', 'organizations', 'consumers', '%7Btenantid%7D'].includes(first ?? '');
}

const cognitoWithoutClients: Remark = {
  key: 'clients',
  message: 'is not set: tokens without `aud` are refused, which is most of Cognito’s',
  hint: 'List the app clients whose users may come.',
};

const zitadelWithoutRoles: Remark = {
  key: 'roles',
  message: 'is empty: ZITADEL’s tokens list no scopes of applications, so nobody would see a tool',
  hint: 'Say which scopes a role has: roles: { member: [mcp:notes:read] }.',
};
