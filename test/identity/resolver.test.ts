import { describe, expect, test } from 'vitest';
import type { IdentityTarget } from '#backends/backend.ts';
import type { FirstPartyBackend } from '#identity/first-party.ts';
import { none } from '#identity/none.ts';
import { propagate } from '#identity/propagate.ts';
import { createIdentityResolver } from '#identity/resolver.ts';
import { staticToken } from '#identity/static.ts';
import type { Principal } from '#kernel/principal.ts';
import { Secret } from '#kernel/secret.ts';
import { backendId } from '../backends/backend-id.ts';
import { principal } from '../contract/principal.ts';

const gatewayUrl = 'https://gateway.example/mcp';

function target(changes: Partial<IdentityTarget> = {}): IdentityTarget {
  return { backend: backendId('docs'), mode: 'propagate', url: 'https://docs.example/api', ...changes };
}

async function resolve(
  who: Principal,
  where: IdentityTarget = target(),
  declared: Partial<FirstPartyBackend> | null = {},
) {
  const resolver = createIdentityResolver({
    propagate: propagate({
      firstParty: () =>
        declared === null
          ? undefined
          : { allowHttp: false, audience: undefined, tokenAudience: 'urn:docs', ...declared },
      isForGateway: (issuer, audiences) =>
        issuer === 'https://issuer.example' && audiences.includes(gatewayUrl),
    }),
  });
  const resolved = await resolver.resolve(who, where);
  return resolved.ok ? resolved.value : resolved.error.reason;
}

describe('propagate', () => {
  test('sends the user’s own token, unchanged, and the context', async () => {
    expect(await resolve(principal())).toEqual({
      mode: 'propagate',
      headers: {
        Authorization: 'Bearer user.jwt.token',
        'X-Cortex-User-Id': 'user-1',
        'X-Cortex-User-Email': 'ada@example.com',
        'X-Cortex-User-Role': 'editor',
        'X-Cortex-User-Pool': 'staff',
        'X-Cortex-Scopes': 'mcp:docs:read mcp:docs:write',
      },
    });
  });

  test('sends nothing to a backend that is not declared first-party (R38)', async () => {
    expect(await resolve(principal(), target(), null)).toBe('token_not_propagable');
  });

  test.each([['dpop'], ['opaque']] as const)('never passes a %s token on', async (tokenKind) => {
    expect(await resolve(principal({ tokenKind }))).toBe('token_not_propagable');
  });

  test.each([
    ['another resource', ['https://other.example/mcp']],
    ['no audience', []],
    ['the gateway with a slash', [`${gatewayUrl}/`]],
    ['a longer path', [`${gatewayUrl}/x`]],
    ['another case', [gatewayUrl.toUpperCase()]],
  ])('a token for %s stays here (R38)', async (_title, audience) => {
    expect(await resolve(principal({ audience }))).toBe('audience_mismatch');
  });

  test('a token for the backend itself goes there, and then the gateway’s own audience is not enough (R38)', async () => {
    const declared = { audience: ['api://docs'] };
    expect(await resolve(principal({ audience: ['api://docs'] }), target(), declared)).toMatchObject({
      mode: 'propagate',
    });
    expect(await resolve(principal(), target(), declared)).toBe('audience_mismatch');
  });

  test('the audience of one issuer does not stand for another’s', async () => {
    expect(await resolve(principal({ issuer: 'https://second.example' }))).toBe('audience_mismatch');
  });

  test.each(['http://127.0.0.1:8080/', 'http://localhost:1/', 'http://[::1]:9/', 'http://127.9.9.9/'])(
    '%s is this machine',
    async (url) => {
      expect(await resolve(principal(), target({ url }))).toMatchObject({ mode: 'propagate' });
    },
  );

  test.each([
    'http://docs.example/',
    'http://10.0.0.1/',
    'http://127.0.0.1.evil.example/',
    'http://localhost.evil.example/',
    'http://127.0.0.1@evil.example/',
    'http://[::ffff:10.0.0.1]/',
    'ftp://docs.example/',
    'not a url',
  ])('%s gets no token in the clear', async (url) => {
    expect(await resolve(principal(), target({ url }))).toBe('token_not_propagable');
  });

  test('plain http to a private network needs the operator’s word', async () => {
    const url = 'http://docs.internal/';
    expect(await resolve(principal(), target({ url }), { allowHttp: true })).toMatchObject({
      mode: 'propagate',
    });
    expect(await resolve(principal(), target({ url: 'ftp://docs.internal/' }), { allowHttp: true })).toBe(
      'token_not_propagable',
    );
  });
});

describe('createIdentityResolver', () => {
  test.each([['assert'], ['exchange'], ['linked'], ['none'], ['static']] as const)(
    'refuses the mode %s, which has no entry, and never falls back to the user’s token',
    async (mode) => {
      expect(await resolve(principal(), target({ mode }))).toBe('mode_unavailable');
    },
  );
});

describe('none', () => {
  test('sends nothing about anybody', async () => {
    const resolver = createIdentityResolver({ none: none() });
    expect(await resolver.resolve(principal(), target({ mode: 'none' }))).toEqual({
      ok: true,
      value: { mode: 'none', headers: {} },
    });
  });
});

describe('static', () => {
  const resolver = createIdentityResolver({
    static: staticToken((id) => {
      if (id === 'docs') return { token: new Secret('operators'), allowHttp: false };
      return id === 'child' ? { token: undefined, allowHttp: false } : undefined;
    }),
  });
  const outcome = async (changes: Partial<IdentityTarget>) => {
    const resolved = await resolver.resolve(principal(), target({ mode: 'static', ...changes }));
    return resolved.ok ? resolved.value : resolved.error.reason;
  };

  test('sends the operator’s secret, and nothing about the caller', async () => {
    expect(await outcome({})).toEqual({ mode: 'static', headers: { Authorization: 'Bearer operators' } });
  });

  test('sends nothing to a command, whose environment holds what it needs', async () => {
    expect(await outcome({ backend: backendId('child'), url: '' })).toEqual({ mode: 'static', headers: {} });
  });

  test('sends nothing to who has no credential, or in the clear', async () => {
    expect(await outcome({ backend: backendId('other') })).toBe('mode_unavailable');
    expect(await outcome({ url: 'http://docs.internal/' })).toBe('mode_unavailable');
  });
});
