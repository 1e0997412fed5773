import type { Config } from '#config/config.ts';
import { isLoopbackUrl } from '#config/network-kinds.ts';
import { type DevIssuer, startDevIssuer } from '#demo/dev-issuer.ts';
import type { Gateway } from '#gateway.ts';
import { isLoopbackHost } from '#outbound/loopback.ts';
import { UserError } from './errors.ts';

/** Held by the development token alone; the plan of that name puts DEV on every audit record of it. */
const devScope = 'cortex:dev';

/** `serve --dev`: an issuer of its own beside the configured ones, on loopback only. */
export interface DevMode {
  readonly issuer: DevIssuer;
  /** The configuration with the development issuer and plan in it. */
  adopt(config: Config): Config;
  /** A token that holds every scope the catalog names. */
  mint(gateway: Gateway, url: string): Promise<string>;
}

export async function startDevMode(): Promise<DevMode> {
  const issuer = await startDevIssuer();
  return {
    issuer,
    adopt(config) {
      const { url, listen } = config.gateway;
      if (!isLoopbackUrl(url) || !isLoopbackHost(listen.host)) {
        throw new UserError(
          '--dev is for this machine alone: gateway.url and gateway.listen must be loopback',
          {
            next: 'leave out --dev, or use http://127.0.0.1:3213/mcp and 127.0.0.1:3213',
          },
        );
      }
      const own: Config['auth']['issuers'][number] = {
        url: issuer.url,
        jwksUri: `${issuer.url}/.well-known/jwks.json`,
        audience: undefined,
        algorithms: undefined,
        preset: 'rfc9068',
        clients: undefined,
        roles: new Map(),
        claims: {
          subject: undefined,
          scopes: undefined,
          permissions: undefined,
          client: undefined,
          tokenId: undefined,
          session: undefined,
          grant: undefined,
          email: undefined,
          role: undefined,
          pool: undefined,
        },
        scopes: undefined,
        maxTokenAgeSeconds: 24 * 3_600,
        exchange: undefined,
        revocationFeed: undefined,
        backchannelLogout: [],
        introspection: undefined,
        dpop: 'off',
      };
      const others = config.auth.issuers.filter((known) => known.url !== issuer.url);
      return {
        ...config,
        auth: { ...config.auth, requiredPool: undefined, issuers: [...others, own] },
        plans: new Map([['DEV', [devScope]], ...config.plans]),
      };
    },
    async mint(gateway, url) {
      await gateway.settled();
      const { tools, prompts, resources, templates } = gateway.catalog.snapshot();
      const items = [...tools.values(), ...prompts.values(), ...resources.values(), ...templates];
      const scopes = new Set(items.flatMap(({ definition }) => definition.scopes));
      return issuer.mint(url, [devScope, ...scopes]);
    },
  };
}
