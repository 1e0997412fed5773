import type { IssuerConfig } from '#config/config.ts';
import { type JsonObject, stringAt } from '#kernel/json.ts';

type Preset = IssuerConfig['preset'];

interface Sign {
  readonly preset: Preset;
  readonly host?: RegExp;
  readonly path?: RegExp;
  /** Of an endpoint in the metadata. */
  readonly endpoint?: readonly [name: string, path: RegExp];
}

/** How each kind of issuer is known: by its address, else by where its endpoints are. The first that fits counts. */
const signs: readonly Sign[] = [
  { preset: 'entra', host: /^login\.microsoftonline\.(?:com|us)$|^sts\.windows\.net$|\.ciamlogin\.com$/ },
  { preset: 'auth0', host: /\.auth0\.com$/ },
  { preset: 'okta', host: /\.(?:okta|oktapreview|okta-emea|okta-gov)\.com$/ },
  { preset: 'cognito', host: /^cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?$/ },
  { preset: 'zitadel', host: /\.zitadel\.cloud$/ },
  { preset: 'keycloak', path: /\/realms\/[^/]+\/?$/ },
  { preset: 'authentik', path: /\/application\/o\/[^/]+\/?$/ },
  { preset: 'okta', path: /^\/oauth2\/[^/]+$/, endpoint: ['token_endpoint', /\/v1\/token$/] },
  { preset: 'zitadel', endpoint: ['token_endpoint', /^\/oauth\/v2\/token$/] },
  { preset: 'hydra', endpoint: ['authorization_endpoint', /^\/oauth2\/auth$/] },
  { preset: 'auth0', endpoint: ['token_endpoint', /^\/oauth\/token$/] },
];

/** The preset that an issuer most likely needs; `generic` where nothing tells. */
export function guessPreset(issuer: string, metadata: JsonObject | undefined): Preset {
  const { hostname, pathname } = new URL(issuer);
  const fits = ({ host, path, endpoint }: Sign) =>
    (host === undefined || host.test(hostname)) &&
    (path === undefined || path.test(pathname)) &&
    (endpoint === undefined || endpoint[1].test(pathOf(stringAt(metadata ?? {}, endpoint[0]))));
  return signs.find(fits)?.preset ?? 'generic';
}

/** What people copy by mistake is the address of the metadata. */
export function issuerFrom(typed: string): string {
  return typed.trim().replace(/\/\.well-known\/(?:openid-configuration|oauth-authorization-server)\/?$/, '');
}

function pathOf(url: string | undefined): string {
  return url === undefined ? '' : (URL.parse(url)?.pathname ?? '');
}
