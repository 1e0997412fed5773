import { createLocalJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import type { IdentityTarget } from '#backends/backend.ts';
import { type AssertOptions, assert } from '#identity/assert.ts';
import type { FirstPartyBackend } from '#identity/first-party.ts';
import type { Principal } from '#kernel/principal.ts';
import { createEs256Signer } from '#keys/es256-signer.ts';
import { parseKeyRing } from '#keys/key-ring.ts';
import { backendId } from '../backends/backend-id.ts';
import { principal } from '../contract/principal.ts';

const ring = parseKeyRing('a'.repeat(64));
if (!ring.ok) throw new Error(ring.error);
const signer = createEs256Signer(ring.value);
const keys = createLocalJWKSet({ keys: [...signer.publicKeys] });
const target: IdentityTarget = {
  backend: backendId('docs'),
  mode: 'assert',
  url: 'https://docs.example/api',
};
const declared: FirstPartyBackend = {
  allowHttp: false,
  audience: undefined,
  tokenAudience: 'https://docs.example/api',
};
const nowMs = 2_000_000_000_500;

async function resolve(who: Principal, where = target, changes: Partial<AssertOptions> = {}) {
  let id = 0;
  const mode = assert({
    firstParty: () => declared,
    issuer: () => 'https://gateway.example',
    scopesOf: () => new Set(['mcp:docs:read', 'mcp:docs:admin']),
    signer: () => signer,
    clock: { now: () => nowMs, monotonic: () => 0 },
    randomId: () => `id-${++id}`,
    ...changes,
  });
  const resolved = await mode(who, where);
  return resolved.ok ? resolved.value.headers : resolved.error.reason;
}

async function claimsOf(who: Principal, changes: Partial<AssertOptions> = {}): Promise<JWTPayload> {
  const headers = await resolve(who, target, changes);
  if (typeof headers === 'string') throw new Error(headers);
  const token = headers.Authorization?.replace(/^Bearer /, '') ?? '';
  const verified = await jwtVerify(token, keys, {
    issuer: 'https://gateway.example',
    audience: 'https://docs.example/api',
    typ: 'at+jwt',
    algorithms: ['ES256'],
    requiredClaims: ['exp', 'iat', 'sub', 'jti'],
    currentDate: new Date(nowMs),
  });
  return verified.payload;
}

describe('assert', () => {
  test('says who calls, in a token of the gateway’s own for this backend and 60 s', async () => {
    expect(await claimsOf(principal())).toEqual({
      iss: 'https://gateway.example',
      aud: 'https://docs.example/api',
      sub: 'user-1',
      sub_id: { format: 'iss_sub', iss: 'https://issuer.example', sub: 'user-1' },
      client_id: 'client-1',
      act: { iss: 'https://issuer.example', sub: 'client-1' },
      email: 'ada@example.com',
      role: 'editor',
      pool: 'staff',
      scope: 'mcp:docs:read',
      iat: 2_000_000_000,
      exp: 2_000_000_060,
      jti: 'id-1',
    });
  });

  test('holds the caller’s scopes that the backend asks for, implied ones included, and no others', async () => {
    const who = principal({
      tokenScopes: ['mcp:all', 'mcp:other'],
      scopes: new Set(['mcp:all', 'mcp:other', 'mcp:docs:read']),
    });
    expect((await claimsOf(who)).scope).toBe('mcp:docs:read');
    expect(await resolve(who)).toMatchObject({ 'X-Cortex-Scopes': 'mcp:docs:read' });
    expect(Object.keys(await claimsOf(who, { scopesOf: () => new Set() }))).not.toContain('scope');
  });

  test('leaves out what the caller’s token does not say', async () => {
    const claims = await claimsOf(
      principal({ clientId: undefined, email: undefined, role: undefined, pool: undefined }),
    );
    expect(Object.keys(claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'jti', 'scope', 'sub', 'sub_id']);
  });

  test('never outlives the caller’s token, and is another one for each call', async () => {
    expect((await claimsOf(principal({ expiresAt: 2_000_000_010 }))).exp).toBe(2_000_000_010);
    let id = 0;
    const changes = { randomId: () => `call-${++id}` };
    expect((await claimsOf(principal(), changes)).jti).not.toBe((await claimsOf(principal(), changes)).jti);
  });

  test.each(['jwt', 'opaque', 'dpop'] as const)(
    'serves a caller with a token of the kind %s, which stays here',
    async (tokenKind) => {
      const headers = await resolve(principal({ tokenKind }));
      expect(headers).toMatchObject({ Authorization: expect.stringMatching(/^Bearer ey/) });
      expect(JSON.stringify(headers)).not.toContain('user.jwt.token');
    },
  );

  test('tells users of two issuers apart although their subjects are equal', async () => {
    const other = await claimsOf(principal({ issuer: 'https://second.example' }));
    expect(other.sub).toBe('user-1');
    expect(other.sub_id).toEqual({ format: 'iss_sub', iss: 'https://second.example', sub: 'user-1' });
  });

  test('sends nothing to a backend that is not declared, or not reached over https', async () => {
    expect(await resolve(principal(), target, { firstParty: () => undefined })).toBe('token_not_propagable');
    const clear = { ...target, url: 'http://docs.internal/' };
    expect(await resolve(principal(), clear)).toBe('token_not_propagable');
    const allowed = { firstParty: () => ({ ...declared, allowHttp: true }) };
    expect(await resolve(principal(), clear, allowed)).toMatchObject({
      'X-Cortex-User-Id': 'user-1',
    });
  });
});
