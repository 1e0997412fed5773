import { beforeEach, describe, expect, test } from 'vitest';
import type { Denial } from '#auth/denied.ts';
import { type DenyList, type DenyListDeps, openDenyList } from '#auth/deny-list.ts';
import type { Revocation } from '#auth/revocation.ts';
import { createLocalBus } from '#cluster/bus.ts';
import type { Principal } from '#kernel/principal.ts';
import { Secret } from '#kernel/secret.ts';
import { openSqliteStore } from '#store/sqlite.ts';
import type { Store } from '#store/store.ts';
import { createFakeClock, createLogBook, type FakeClock } from './resource-server.ts';

const issuer = 'https://auth.example.com';

let store: Store;
let clock: FakeClock;
let book: ReturnType<typeof createLogBook>;

beforeEach(() => {
  store = openSqliteStore(':memory:');
  clock = createFakeClock();
  book = createLogBook();
  return () => store.close();
});

function open(settings: Partial<DenyListDeps> = {}): Promise<DenyList> {
  const bus = createLocalBus<readonly Denial[], { streams: number; calls: number }>();
  return openDenyList({ store, bus, clock, log: book.log, maxTokenAgeSeconds: () => 86_400, ...settings });
}

function principal(claims: Partial<Principal> = {}): Principal {
  return {
    kind: 'user',
    issuer,
    subject: 'alice',
    key: JSON.stringify([claims.issuer ?? issuer, claims.subject ?? 'alice']),
    clientId: 'client-1',
    tokenScopes: [],
    scopes: new Set(),
    scopeKey: '',
    plan: undefined,
    email: undefined,
    role: undefined,
    pool: undefined,
    tokenId: 'jti-1',
    sessionId: 'sid-1',
    grantId: 'grant-1',
    audience: [],
    issuedAt: clock.seconds(),
    expiresAt: clock.seconds() + 3_600,
    token: new Secret('t'),
    tokenKind: 'jwt',
    ...claims,
  };
}

const each: readonly Revocation[] = [
  { kind: 'token', issuer, value: 'jti-1', before: undefined },
  { kind: 'session', issuer, value: 'sid-1', before: undefined },
  { kind: 'subject', issuer, value: 'alice', before: undefined },
  { kind: 'client', issuer, value: 'client-1', before: undefined },
  { kind: 'grant', issuer, value: 'grant-1', before: undefined },
  { kind: 'issuer', issuer, value: '', before: undefined },
];

describe('a denial', () => {
  test.each(each)('of a $kind refuses the token it means, and says what it was', async (revocation) => {
    const list = await open();
    expect(list.denies(principal())).toBeUndefined();
    const outcome = await list.deny([revocation], 'test');
    expect(outcome).toMatchObject({ ok: true, value: { replicas: 1, closed: { streams: 0, calls: 0 } } });
    expect(list.denies(principal())).toBe(revocation.kind);
  });

  test.each(each)('of a $kind of one issuer leaves the tokens of another alone', async (revocation) => {
    const list = await open();
    await list.deny([revocation], 'test');
    expect(list.denies(principal({ issuer: 'https://other.example.com' }))).toBeUndefined();
  });

  test('as one issuer may say it cannot name another', async () => {
    const list = await open();
    const forged = { kind: 'subject', value: 'alice', before: undefined, issuer } as const;
    await list.denyListFor('https://evil.example.com').deny([forged], 'feed');
    expect(list.denies(principal())).toBeUndefined();
    expect(list.denies(principal({ issuer: 'https://evil.example.com' }))).toBe('subject');
  });

  test('refuses a token of the same second, and none of the next', async () => {
    const list = await open();
    await list.deny([{ kind: 'subject', issuer, value: 'alice', before: undefined }], 'test');
    expect(list.denies(principal({ issuedAt: clock.seconds() }))).toBe('subject');
    expect(list.denies(principal({ issuedAt: clock.seconds() + 1 }))).toBeUndefined();
  });

  test.each(each)('of a $kind is known after a restart', async (revocation) => {
    const before = await open();
    await before.deny([revocation], 'test');
    before.close();
    expect((await open()).denies(principal())).toBe(revocation.kind);
  });
});
