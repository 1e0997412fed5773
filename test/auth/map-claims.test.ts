import type { JWTPayload } from 'jose';
import { describe, expect, test } from 'vitest';
import { claimPathsOf } from '#auth/claim-paths.ts';
import { mapClaims } from '#auth/map-claims.ts';
import type { IssuerOptions } from '#auth/options.ts';
import { presets } from '#auth/presets/table.ts';
import type { Principal } from '#kernel/principal.ts';

const issuer = 'https://id.example';

type Settings = Omit<IssuerOptions, 'url'> & {
  readonly plans?: ReadonlyMap<string, readonly string[]>;
  readonly scopeImplies?: ReadonlyMap<string, readonly string[]>;
};

function map(payload: JWTPayload, settings: Settings = {}) {
  return mapClaims(
    { payload, issuedAt: 1_000, expiresAt: 2_000 },
    'token',
    {
      issuer,
      preset: presets[settings.preset ?? 'generic'],
      paths: claimPathsOf(settings),
      roleScopes: settings.roleScopes ?? new Map(),
      scopesCeiling: settings.scopesCeiling && new Set(settings.scopesCeiling),
      maxTokenAgeSeconds: settings.maxTokenAgeSeconds ?? 86_400,
    },
    { plans: settings.plans ?? new Map(), scopeImplies: settings.scopeImplies ?? new Map() },
  );
}

function principal(payload: JWTPayload, settings: Settings = {}): Principal {
  const mapped = map({ sub: 'alice', ...payload }, settings);
  if (!mapped.ok) throw new Error(mapped.error.reason);
  return mapped.value;
}

describe('scopes', () => {
  test.each<[string, JWTPayload]>([
    ['scope as a string', { scope: 'a b' }],
    ['scp as a string', { scp: 'a b' }],
    ['scp as an array', { scp: ['a', 'b'] }],
    ['scope as an array', { scope: ['a', 'b'] }],
    ['both, each scope once', { scope: 'a', scp: ['b', 'a'] }],
    ['a string with too many spaces', { scope: '  a   b ' }],
  ])('come from %s', (_title, payload) => {
    expect(principal(payload).tokenScopes).toEqual(['a', 'b']);
  });

  test('are none where the claim is absent or no text', () => {
    for (const payload of [{}, { scope: 7 }, { scope: { a: true } }, { scope: [1, null] }]) {
      expect(principal(payload)).toMatchObject({ tokenScopes: [], scopeKey: '' });
    }
  });

  test("cannot forge another set's cache key by a space within one", () => {
    const forged = principal({ scp: ['admin:read admin:write', 'a"b', 'a\\b', 'a\nb', ''] });
    expect(forged.scopeKey).toBe('');
    expect(forged.scopes.size).toBe(0);
  });

  test('have one key whatever their order', () => {
    expect(principal({ scope: 'b a' }).scopeKey).toBe(principal({ scope: 'a b' }).scopeKey);
  });

  test('imply others, transitively and in circles (R36)', () => {
    const scopeImplies = new Map([
      ['admin', ['write']],
      ['write', ['read']],
      ['read', ['admin']],
    ]);
    const held = principal({ scope: 'write' }, { scopeImplies });
    expect(held.tokenScopes).toEqual(['write']);
    expect([...held.scopes].sort()).toEqual(['admin', 'read', 'write']);
    expect(held.scopeKey).toBe('admin read write');
  });

  test('beyond the ceiling of the issuer are ignored before anything is implied', () => {
    const settings = { scopesCeiling: ['read'], scopeImplies: new Map([['admin', ['read', 'write']]]) };
    const held = principal({ scope: 'admin read' }, settings);
    expect(held.tokenScopes).toEqual(['read']);
    expect([...held.scopes]).toEqual(['read']);
  });

  test('are none under an empty ceiling', () => {
    expect(principal({ scope: 'read' }, { scopesCeiling: [] }).tokenScopes).toEqual([]);
  });

  test("are not taken from Auth0's permissions", () => {
    expect(principal({ permissions: ['admin'], scope: 'read' }).tokenScopes).toEqual(['read']);
  });
});

describe('the plan', () => {
  const plans = new Map([
    ['pro', ['read', 'write']],
    ['free', ['read']],
    ['empty', []],
  ]);

  test('is the first configured one whose scopes are all held', () => {
    expect(principal({ scope: 'read write' }, { plans }).plan).toBe('pro');
    expect(principal({ scope: 'read' }, { plans }).plan).toBe('free');
    expect(principal({ scope: 'write' }, { plans }).plan).toBeUndefined();
  });

  test('counts implied scopes', () => {
    expect(principal({ scope: 'write' }, { plans, scopeImplies: new Map([['write', ['read']]]) }).plan).toBe(
      'pro',
    );
  });

  test('is not to be had by a scope that has its name, and never adds a scope', () => {
    const named = principal({ scope: 'pro' }, { plans });
    expect(named.plan).toBeUndefined();
    expect([...named.scopes]).toEqual(['pro']);
    expect([...principal({ scope: 'read write' }, { plans }).scopes]).toEqual(['read', 'write']);
  });

  test("of no scopes is nobody's", () => {
    expect(principal({}, { plans }).plan).toBeUndefined();
  });
});

describe('who it is', () => {
  test.each(['client_id', 'azp', 'cid', 'appid'])('names its client in %s', (claim) => {
    expect(principal({ [claim]: 'c1' })).toMatchObject({ kind: 'user', clientId: 'c1' });
  });

  test('is a client without sub, or when sub is the client id', () => {
    const own = { kind: 'client', subject: 'c1', clientId: 'c1', key: JSON.stringify([issuer, 'c1']) };
    expect(map({ client_id: 'c1' })).toMatchObject({ ok: true, value: own });
    expect(map({ client_id: 'c1', sub: 'c1' })).toMatchObject({ ok: true, value: own });
  });

  test("is never the client when a user's mapped subject is missing", () => {
    const settings = { claims: { subject: ['oid'] } };
    expect(map({ sub: 'alice', client_id: 'c1' }, settings)).toMatchObject({
      ok: false,
      error: { reason: 'subject_missing' },
    });
    expect(map({ sub: 'alice', oid: 'o1', client_id: 'c1' }, settings)).toMatchObject({
      ok: true,
      value: { kind: 'user', subject: 'o1' },
    });
    expect(map({ sub: 'c1', client_id: 'c1' }, settings)).toMatchObject({
      ok: true,
      value: { kind: 'client', subject: 'c1' },
    });
  });

  test.each([[7], [['alice']], [{ id: 'alice' }], [null]])('is nobody when sub is %j', (sub) => {
    const payload = JSON.parse(JSON.stringify({ sub, client_id: 'c1' }));
    expect(map(payload)).toMatchObject({ ok: false, error: { reason: 'subject_missing' } });
  });

  test('has no key in common with a subject that looks like one', () => {
    expect(principal({ sub: '","x' }).key).not.toBe(principal({ sub: 'x' }).key);
  });
});

describe('the other claims', () => {
  test('are read at their usual names', () => {
    const payload = { jti: 't1', sid: 's1', role: 'admin', email: 'a@example.com', pool: 'staff' };
    expect(principal(payload)).toMatchObject({
      tokenId: 't1',
      sessionId: 's1',
      role: 'admin',
      email: 'a@example.com',
      pool: 'staff',
    });
    expect(principal({ uti: 'u1', roles: ['first', 'second'] })).toMatchObject({
      tokenId: 'u1',
      role: 'first',
    });
  });

  test('are undefined when empty', () => {
    expect(principal({ jti: '', role: '', roles: [], email: '' })).toMatchObject({
      tokenId: undefined,
      role: undefined,
      email: undefined,
    });
  });

  test('of the preset rfc9068 are the ones of RFC 9068 alone', () => {
    const payload = { scope: 'a', scp: 'b', client_id: 'c1', azp: 'c2', jti: 't', uti: 'u' };
    expect(principal(payload, { preset: 'rfc9068' })).toMatchObject({
      tokenScopes: ['a'],
      clientId: 'c1',
      tokenId: 't',
    });
    expect(principal({ scp: 'b', azp: 'c2', uti: 'u' }, { preset: 'rfc9068' })).toMatchObject({
      tokenScopes: [],
      clientId: undefined,
      tokenId: undefined,
    });
  });

  test('can be anywhere: a dotted path, a URL, a path below a URL', () => {
    const claims = {
      role: ['realm_access.roles'],
      pool: ['https://example.com/pool'],
      email: ['https://example.com/profile.email'],
      scopes: ['resource_access.cortex.scopes', 'grants'],
      session: ['nothing.here', 'session.id'],
    };
    const payload = {
      realm_access: { roles: ['owner'] },
      'https://example.com/pool': 'staff',
      'https://example.com/profile': { email: 'a@example.com' },
      resource_access: { cortex: { scopes: ['a'] } },
      grants: 'b',
      scope: 'ignored',
      session: { id: 's1' },
    };
    expect(principal(payload, { claims })).toMatchObject({
      role: 'owner',
      pool: 'staff',
      email: 'a@example.com',
      tokenScopes: ['a', 'b'],
      sessionId: 's1',
    });
  });

  test('are own properties: nothing is read off a prototype', () => {
    const claims = { role: ['constructor.name'], pool: ['__proto__.pool'], email: ['toString'] };
    expect(principal({}, { claims })).toMatchObject({ role: undefined, pool: undefined, email: undefined });
  });

  test('bring the end forward to the maximum age', () => {
    expect(principal({}).expiresAt).toBe(2_000);
    expect(principal({}, { maxTokenAgeSeconds: 100 }).expiresAt).toBe(1_100);
  });
});

describe('a claim that is no Unicode text (a lone half of a surrogate pair)', () => {
  const half = String.fromCharCode(0xd800);

  test('is no subject: applications would read it as somebody else’s', () => {
    expect(map({ sub: half })).toMatchObject({ ok: false, error: { reason: 'subject_missing' } });
    expect(map({ sub: 'ada', client_id: half })).toMatchObject({ ok: true, value: { clientId: undefined } });
  });

  test('is no part of a subject either, and no fault', () => {
    const payload = { tid: 't', oid: half };
    const mapped = map(payload, { claims: { subject: ['tid+oid'] } });
    expect(mapped).toMatchObject({ ok: false, error: { reason: 'subject_missing' } });
  });

  test('is no role, address or pool', () => {
    const held = principal({ email: `a${half}`, role: half, pool: half });
    expect(held).toMatchObject({ email: undefined, role: undefined, pool: undefined });
  });
});
