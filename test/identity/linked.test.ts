import { describe, expect, test } from 'vitest';
import type { IdentityTarget } from '#backends/backend.ts';
import { type LinkedTokens, linked } from '#identity/linked.ts';
import { createIdentityResolver } from '#identity/resolver.ts';
import { err, ok } from '#kernel/result.ts';
import { Secret } from '#kernel/secret.ts';
import { backendId } from '../backends/backend-id.ts';
import { principal } from '../contract/principal.ts';

const target: IdentityTarget = {
  backend: backendId('linear'),
  mode: 'linked',
  url: 'https://mcp.example/mcp',
};

function resolver(tokens: Partial<LinkedTokens>, needsScopes = (): boolean => true) {
  const none = async () => err('not_linked' as const);
  return createIdentityResolver({
    linked: linked({ tokens: { token: none, rejected: none, ...tokens }, needsScopes }),
  });
}

describe('linked', () => {
  test('sends the user’s own token at the server, and nothing of the gateway’s (R38)', async () => {
    const identity = resolver({ token: async () => ok(new Secret('theirs')) });
    expect(await identity.resolve(principal(), target)).toEqual({
      ok: true,
      value: { mode: 'linked', headers: { Authorization: 'Bearer theirs' } },
    });
  });

  test.each([
    ['not_linked', 'link_required'],
    ['link_again', 'link_required'],
    ['unavailable', 'identity_unavailable'],
  ] as const)('answers %s with %s', async (refusal, reason) => {
    const identity = resolver({ token: async () => err(refusal) });
    const resolved = await identity.resolve(principal(), target);
    expect(resolved).toMatchObject({ ok: false, error: { reason } });
    expect(JSON.stringify(resolved)).toContain('linear');
  });

  test('sends no machine to a page that nobody could open in its name', async () => {
    const identity = resolver({ token: async () => err('not_linked') });
    const machine = principal({ kind: 'client', clientId: 'nightly' });
    expect(await identity.resolve(machine, target)).toMatchObject({
      ok: false,
      error: { reason: 'mode_unavailable' },
    });
    const catalog = principal({ kind: 'client', clientId: undefined });
    expect(await identity.resolve(catalog, target)).toMatchObject({ error: { reason: 'link_required' } });
  });

  test('asks as the principal that calls, for the server that is called', async () => {
    const asked: string[] = [];
    const identity = resolver({
      token: async (who, server) => {
        asked.push(`${who.key} ${server}`);
        return ok(new Secret('theirs'));
      },
    });
    await identity.resolve(principal({ key: '["https://issuer.example","bob"]' }), target);
    expect(asked).toEqual(['["https://issuer.example","bob"] linear']);
  });

  test('after a 401 gives another token in place of the one that was refused', async () => {
    const refused: string[] = [];
    const identity = resolver({
      rejected: async (_who, _server, token) => {
        refused.push(token.reveal());
        return ok(new Secret('fresh'));
      },
    });
    const old = { mode: 'linked', headers: { Authorization: 'Bearer old' } } as const;
    expect(await identity.rejected?.(principal(), target, old)).toMatchObject({
      value: { headers: { Authorization: 'Bearer fresh' } },
    });
    expect(refused).toEqual(['old']);
  });

  test('after a 403 says whether linking again can help', () => {
    expect(resolver({}).insufficient?.(principal(), target, ['write'])).toBe(true);
    expect(resolver({}, () => false).insufficient?.(principal(), target, ['write'])).toBe(false);
  });

  test('a mode without other headers has none after a 401, and links nothing after a 403', async () => {
    const identity = createIdentityResolver({ none: () => ok({ mode: 'none', headers: {} }) });
    const other = { ...target, mode: 'none' } as const;
    expect(await identity.rejected?.(principal(), other, { mode: 'none', headers: {} })).toMatchObject({
      error: { reason: 'identity_unavailable' },
    });
    expect(identity.insufficient?.(principal(), other, ['x'])).toBe(false);
  });
});
