import { describe, expect, test } from 'vitest';
import type { IdentityTarget } from '#backends/backend.ts';
import { linked } from '#identity/linked.ts';
import { createIdentityResolver } from '#identity/resolver.ts';
import { silentLog } from '#kernel/log.ts';
import { systemSchedule } from '#kernel/schedule.ts';
import { createGrantTokens } from '#vault/grant-tokens.ts';
import { backendId } from '../../backends/backend-id.ts';
import { principal } from '../../contract/principal.ts';
import { callServer, startDemoProvider } from './demo-provider.ts';
import { adasBrowser, begin, finish, granted, linkedServer, startLinking } from './linking-kit.ts';

const user = principal();
const target: IdentityTarget = { backend: backendId('notes'), mode: 'linked', url: 'https://unused.example' };

async function start() {
  const provider = await startDemoProvider();
  const kit = await startLinking({ notes: linkedServer(provider.mcpUrl) });
  const { grants, clock, engine } = kit;
  const { refresh, revoke } = engine;
  const deps = {
    grants,
    clock,
    refresh,
    revoke,
    schedule: systemSchedule,
    random: Math.random,
    log: silentLog,
  };
  const tokens = createGrantTokens(deps);
  const identity = createIdentityResolver({ linked: linked({ tokens, needsScopes: engine.needsScopes }) });
  const visitor = { owner: user, browser: adasBrowser };
  const link = async () => finish(kit, await provider.consent(await begin(kit, visitor)), visitor);
  const call = async () => {
    const { headers } = granted(await identity.resolve(user, target));
    return callServer(provider.mcpUrl, (headers.Authorization ?? '').replace('Bearer ', ''));
  };
  return { provider, kit, identity, link, call };
}

describe('calls with a linked account', () => {
  test('begin with a link, go on through refreshes, and end where the account is unlinked (R46)', async () => {
    const { provider, kit, identity, link, call } = await start();
    expect(await identity.resolve(user, target)).toMatchObject({ error: { reason: 'link_required' } });
    await link();
    expect(await call()).toBe(200);
    kit.clock.advance(15 * 60_000);
    expect(await call()).toBe(200);
    expect(provider.issuer.to('/token')).toHaveLength(2);
    granted(await kit.engine.unlink(user, 'notes'));
    expect(await identity.resolve(user, target)).toMatchObject({ error: { reason: 'link_required' } });
  });

  test('get another token after a 401, once, and must be linked again where the provider has ended the grant', async () => {
    const { provider, identity, link, call } = await start();
    const grant = await link();
    const refused = granted(await identity.resolve(user, target));
    const [first, second] = await Promise.all([
      identity.rejected?.(user, target, refused),
      identity.rejected?.(user, target, refused),
    ]);
    expect(first).toEqual(second);
    expect(first).toMatchObject({ ok: true });
    expect(first).not.toMatchObject({
      value: { headers: { Authorization: `Bearer ${grant.accessToken.reveal()}` } },
    });
    expect(await call()).toBe(200);
    expect(provider.issuer.to('/token')).toHaveLength(2);

    expect(await provider.demo.server.revokeUser('ada@notes.example')).toBe(true);
    expect(await call()).toBe(401);
  });

  test('of a grant that the provider has ended ask for a new link, and the tools stay', async () => {
    const { provider, kit, identity, link, call } = await start();
    await link();
    await provider.demo.server.revokeUser('ada@notes.example');
    kit.clock.advance(15 * 60_000);
    expect(await identity.resolve(user, target)).toMatchObject({ error: { reason: 'link_required' } });
    expect(await kit.grants.list(user)).toMatchObject([{ isDead: true }]);
    await link();
    expect(await call()).toBe(200);
  });
});
