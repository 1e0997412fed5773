import { loadConfig } from '#config/load-config.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { principalKey } from '#kernel/principal.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import { openConfiguredVault } from '#wiring/configured-vault.ts';
import { writeConfig } from '../../support/config-file.ts';
import { grantOf } from '../../vault/vault-kit.ts';
import type { World } from './world.ts';

const issuer = 'https://auth.example.com';

/** Two people who have linked accounts at two servers; the provider revokes what it is asked to. No gateway runs. */
export async function vaultWorld(cwd: string): Promise<World> {
  const provider = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const { pathname, origin } = new URL(request.url);
      if (pathname === '/revoke') return new Response(null);
      if (pathname !== '/.well-known/oauth-authorization-server') return new Response(null, { status: 404 });
      return Response.json({
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        revocation_endpoint: `${origin}/revoke`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
      });
    },
  });
  const { origin } = provider.url;
  const server = { url: `${origin}/mcp`, issuer: origin, client_id: 'gateway', scopes: { default: 's' } };
  const file = await writeConfig(cwd, {
    gateway: { url: 'http://127.0.0.1:3213/mcp' },
    auth: { issuers: [{ url: issuer }], challenge_scopes: ['s'] },
    servers: { linear: server, github: server },
  });
  const loaded = await loadConfig({
    cwd,
    environment: { HOME: cwd },
    file,
    flags: {},
    mayExpandSecrets: true,
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error.issues));
  const { config } = loaded.value;
  const store = openSqliteStore(config.store.path);
  const vault = await openConfiguredVault({ config, store, clock: systemClock, log: silentLog }, 'create');
  if (!vault.ok) throw new Error(vault.error);
  const links = [
    ['ada', 'linear', {}],
    ['ada', 'github', { account: 'ada', scopes: ['repo', 'user'] }],
    ['bob', 'github', { account: 'bob\u001b[2J', scopes: [] }],
  ] as const;
  for (const [subject, name, changes] of links) {
    const owner = { issuer, subject, key: principalKey(issuer, subject) };
    await vault.value.grants.put(owner, name, grantOf({ issuer: origin, ...changes }));
  }
  await vault.value.close();
  await store.close();
  return {
    names: { provider: origin },
    [Symbol.asyncDispose]: () => provider.stop(true),
  };
}
